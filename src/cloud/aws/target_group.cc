#include "cloud/aws/target_group.h"

#include "cloud/aws/ec2_forms.h"
#include "cloud/aws/elbv2_forms.h"

namespace hive::cloud::aws {
namespace {

TargetGroup read_target_group(const Element& from) {
  return {.arn = from.text_at("TargetGroupArn"),
          .name = from.text_at("TargetGroupName"),
          .protocol = from.text_at("Protocol"),
          .port = from.number_at<std::uint16_t>("Port"),
          .vpc = from.text_at("VpcId"),
          .check = {.protocol = from.text_at("HealthCheckProtocol"),
                    .port = from.text_at("HealthCheckPort"),
                    .path = from.text_at("HealthCheckPath"),
                    .codes = from.text_at("Matcher/HttpCode"),
                    .interval_s = from.number_at<std::uint32_t>("HealthCheckIntervalSeconds"),
                    .timeout_s = from.number_at<std::uint32_t>("HealthCheckTimeoutSeconds"),
                    .unhealthy = from.number_at<std::uint32_t>("UnhealthyThresholdCount"),
                    .healthy = from.number_at<std::uint32_t>("HealthyThresholdCount")}};
}

void put_check(Form& form, const TargetCheck& check) {
  form.set("HealthCheckProtocol", check.protocol).set("HealthCheckPort", check.port);
  form.set("HealthCheckPath", check.path);
  form.set("HealthCheckIntervalSeconds", check.interval_s);
  form.set("HealthCheckTimeoutSeconds", check.timeout_s);
  form.set("HealthyThresholdCount", check.healthy);
  form.set("UnhealthyThresholdCount", check.unhealthy);
  form.set("Matcher.HttpCode", check.codes);
}

Form targets(const std::string& arn, const std::vector<std::string>& instances) {
  Form form;
  form.set("TargetGroupArn", arn);
  for (std::size_t i = 0; i < instances.size(); ++i)
    form.set(nth("Targets.member", i) + ".Id", instances[i]);
  return form;
}

Result<std::vector<TargetGroup>> find_target_groups(Client& client, const Form& form) {
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeTargetGroups, form));
  std::vector<TargetGroup> out;
  for (const auto& page : pages)
    for (const Element* one : page.list_at("TargetGroups")) out.push_back(read_target_group(*one));
  return out;
}

}  // namespace

Result<std::vector<TargetGroup>> describe_target_groups(Client& client) {
  return find_target_groups(client, {});
}

Result<std::vector<TargetGroup>> target_groups_of(Client& client, const std::string& balancer) {
  return find_target_groups(client, Form().set("LoadBalancerArn", balancer));
}

Result<V2Attributes> target_group_attributes(Client& client, const std::string& arn) {
  HIVE_ASSIGN(const auto answer,
              client.query(Op::kDescribeTargetGroupAttributes, Form().set("TargetGroupArn", arn)));
  return read_v2_attributes(answer);
}

Result<std::string> create_target_group(Client& client, const TargetGroup& spec, const Tags& tags) {
  Form form;
  form.set("Name", spec.name).set("Protocol", spec.protocol).set("Port", spec.port);
  form.set("VpcId", spec.vpc).set("TargetType", "instance");
  put_check(form, spec.check);
  put_v2_tags(form, tags);
  HIVE_ASSIGN(const auto answer, client.query(Op::kCreateTargetGroup, form));
  for (const Element* one : answer.list_at("TargetGroups"))
    return text_or_corrupt(*one, "TargetGroupArn");
  return fail(Errc::kCorrupt, "elbv2 CreateTargetGroup: the answer has no target group");
}

Status modify_target_group(Client& client, const std::string& arn, const TargetCheck& check) {
  Form form;
  form.set("TargetGroupArn", arn);
  put_check(form, check);
  HIVE_TRY(client.query(Op::kModifyTargetGroup, form));
  return {};
}

Status modify_target_group_attributes(Client& client, const std::string& arn,
                                      const V2Attributes& attributes) {
  Form form;
  form.set("TargetGroupArn", arn);
  put_v2_attributes(form, attributes);
  HIVE_TRY(client.query(Op::kModifyTargetGroupAttributes, form));
  return {};
}

Status delete_target_group(Client& client, const std::string& arn) {
  HIVE_TRY(client.query(Op::kDeleteTargetGroup, Form().set("TargetGroupArn", arn)));
  return {};
}

Status register_targets(Client& client, const std::string& arn,
                        const std::vector<std::string>& instances) {
  HIVE_TRY(client.query(Op::kRegisterTargets, targets(arn, instances)));
  return {};
}

Status deregister_targets(Client& client, const std::string& arn,
                          const std::vector<std::string>& instances) {
  HIVE_TRY(client.query(Op::kDeregisterTargets, targets(arn, instances)));
  return {};
}

Result<std::vector<TargetState>> describe_target_health(Client& client, const std::string& arn) {
  HIVE_ASSIGN(const auto answer,
              client.query(Op::kDescribeTargetHealth, Form().set("TargetGroupArn", arn)));
  std::vector<TargetState> out;
  for (const Element* one : answer.list_at("TargetHealthDescriptions"))
    out.push_back({.instance = one->text_at("Target/Id"),
                   .state = one->text_at("TargetHealth/State"),
                   .reason = one->text_at("TargetHealth/Reason"),
                   .description = one->text_at("TargetHealth/Description")});
  return out;
}

bool is_registered(const TargetState& target) {
  return target.state != "draining" && target.reason != "Target.NotRegistered";
}

}  // namespace hive::cloud::aws
