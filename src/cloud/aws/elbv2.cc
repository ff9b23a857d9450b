#include "cloud/aws/elbv2.h"

#include <algorithm>

#include "cloud/aws/elbv2_forms.h"

namespace hive::cloud::aws {
namespace {

// DescribeTags takes no more at once.
constexpr std::size_t kMostDescribed = 20;

V2Balancer read_v2_balancer(const Element& from) {
  V2Balancer out{.arn = from.text_at("LoadBalancerArn"),
                 .name = from.text_at("LoadBalancerName"),
                 .type = from.text_at("Type") == "network" ? BalancerType::kNetwork
                                                           : BalancerType::kApplication,
                 .dns_name = from.text_at("DNSName"),
                 .internal = from.text_at("Scheme") == "internal"};
  for (const Element* zone : from.list_at("AvailabilityZones"))
    out.subnets.insert(zone->text_at("SubnetId"));
  for (const Element* one : from.list_at("SecurityGroups")) out.security_groups.insert(one->text);
  return out;
}

V2Listener read_v2_listener(const Element& from) {
  V2Listener out{.arn = from.text_at("ListenerArn"),
                 .port = from.number_at<std::uint16_t>("Port"),
                 .protocol = from.text_at("Protocol")};
  const auto certificates = from.list_at("Certificates");
  if (!certificates.empty()) out.certificate = certificates.front()->text_at("CertificateArn");
  const auto actions = from.list_at("DefaultActions");
  // More than one, or none that forwards: somebody's own, which is as good as no target group.
  if (actions.size() == 1) out.target_group = actions.front()->text_at("TargetGroupArn");
  return out;
}

void put_listener(Form& form, const V2Listener& spec) {
  form.set("Protocol", spec.protocol).set("Port", spec.port);
  form.set_unless_empty("Certificates.member.1.CertificateArn", spec.certificate);
  form.set("DefaultActions.member.1.Type", "forward");
  form.set("DefaultActions.member.1.TargetGroupArn", spec.target_group);
}

}  // namespace

void put_v2_tags(Form& form, const Tags& tags) {
  std::size_t i = 0;
  for (const auto& [key, value] : tags) {
    const std::string at = nth("Tags.member", i++);
    form.set(at + ".Key", key).set(at + ".Value", value);
  }
}

void put_v2_attributes(Form& form, const V2Attributes& attributes) {
  std::size_t i = 0;
  for (const auto& [key, value] : attributes) {
    const std::string at = nth("Attributes.member", i++);
    form.set(at + ".Key", key).set(at + ".Value", value);
  }
}

V2Attributes read_v2_attributes(const Element& from) {
  V2Attributes out;
  for (const Element* one : from.list_at("Attributes"))
    out[one->text_at("Key")] = one->text_at("Value");
  return out;
}

std::string_view to_string(BalancerType type) {
  switch (type) {
    case BalancerType::kClassic:
      return "classic";
    case BalancerType::kApplication:
      return "application";
    case BalancerType::kNetwork:
      return "network";
  }
  return "unknown";
}

std::string in_words(BalancerType type) {
  switch (type) {
    case BalancerType::kClassic:
      return "a Classic Load Balancer";
    case BalancerType::kApplication:
      return "an Application Load Balancer";
    case BalancerType::kNetwork:
      return "a Network Load Balancer";
  }
  return "a load balancer";
}

Result<V2Balancer> describe_v2_balancer(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto pages,
              client.query_all(Op::kDescribeV2Balancers, Form().set("Names.member.1", name)));
  for (const auto& page : pages)
    for (const Element* one : page.list_at("LoadBalancers")) return read_v2_balancer(*one);
  return fail(Errc::kNotFound, "there is no load balancer " + name);
}

Result<V2Attributes> v2_balancer_attributes(Client& client, const std::string& arn) {
  HIVE_ASSIGN(const auto answer,
              client.query(Op::kDescribeV2Attributes, Form().set("LoadBalancerArn", arn)));
  return read_v2_attributes(answer);
}

Result<std::vector<V2Listener>> describe_v2_listeners(Client& client, const std::string& balancer) {
  HIVE_ASSIGN(const auto pages,
              client.query_all(Op::kDescribeV2Listeners, Form().set("LoadBalancerArn", balancer)));
  std::vector<V2Listener> out;
  for (const auto& page : pages)
    for (const Element* one : page.list_at("Listeners")) out.push_back(read_v2_listener(*one));
  return out;
}

Result<std::map<std::string, Tags>> v2_tags(Client& client, const std::vector<std::string>& arns) {
  std::map<std::string, Tags> out;
  for (std::size_t from = 0; from < arns.size(); from += kMostDescribed) {
    const auto end = std::min(arns.size(), from + kMostDescribed);
    Form form;
    form.list("ResourceArns.member", {arns.begin() + static_cast<std::ptrdiff_t>(from),
                                      arns.begin() + static_cast<std::ptrdiff_t>(end)});
    HIVE_ASSIGN(const auto answer, client.query(Op::kDescribeV2Tags, form));
    for (const Element* one : answer.list_at("TagDescriptions"))
      for (const Element* tag : one->list_at("Tags"))
        out[one->text_at("ResourceArn")][tag->text_at("Key")] = tag->text_at("Value");
  }
  return out;
}

Result<V2Balancer> create_v2_balancer(Client& client, const V2Balancer& spec, const Tags& tags) {
  Form form;
  form.set("Name", spec.name).set("Type", std::string(to_string(spec.type)));
  form.set("Scheme", spec.internal ? "internal" : "internet-facing");
  form.list("Subnets.member", {spec.subnets.begin(), spec.subnets.end()});
  form.list("SecurityGroups.member", {spec.security_groups.begin(), spec.security_groups.end()});
  put_v2_tags(form, tags);
  HIVE_ASSIGN(const auto answer, client.query(Op::kCreateV2Balancer, form));
  for (const Element* one : answer.list_at("LoadBalancers")) return read_v2_balancer(*one);
  return fail(Errc::kCorrupt, "elbv2 CreateLoadBalancer: the answer has no balancer");
}

Status modify_v2_balancer(Client& client, const std::string& arn, const V2Attributes& attributes) {
  Form form;
  form.set("LoadBalancerArn", arn);
  put_v2_attributes(form, attributes);
  HIVE_TRY(client.query(Op::kModifyV2Attributes, form));
  return {};
}

Status delete_v2_balancer(Client& client, const std::string& arn) {
  HIVE_TRY(client.query(Op::kDeleteV2Balancer, Form().set("LoadBalancerArn", arn)));
  return {};
}

Status create_v2_listener(Client& client, const std::string& balancer, const V2Listener& spec,
                          const Tags& tags) {
  Form form;
  form.set("LoadBalancerArn", balancer);
  put_listener(form, spec);
  put_v2_tags(form, tags);
  HIVE_TRY(client.query(Op::kCreateV2Listener, form));
  return {};
}

Status modify_v2_listener(Client& client, const V2Listener& spec) {
  Form form;
  form.set("ListenerArn", spec.arn);
  put_listener(form, spec);
  HIVE_TRY(client.query(Op::kModifyV2Listener, form));
  return {};
}

Status delete_v2_listener(Client& client, const std::string& arn) {
  HIVE_TRY(client.query(Op::kDeleteV2Listener, Form().set("ListenerArn", arn)));
  return {};
}

}  // namespace hive::cloud::aws
