// Machines and the templates that they are made from.
#include <algorithm>
#include <iterator>

#include "base/base64.h"
#include "base/short_hash.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/ec2_forms.h"

namespace hive::cloud::aws {
namespace {

constexpr std::string_view kStates[] = {"pending", "running",       "stopping",
                                        "stopped", "shutting-down", "terminated"};
constexpr const char* kTemplatePrefix = "LaunchTemplateData.";
// Source: Amazon EC2 API Reference, RunInstances, ClientToken.
constexpr std::size_t kLongestToken = 64;

MachineState read_machine_state(const std::string& text) {
  const auto* at = std::find(std::begin(kStates), std::end(kStates), text);
  return at == std::end(kStates) ? MachineState::kPending
                                 : static_cast<MachineState>(at - std::begin(kStates));
}

Machine read_machine(const Element& from) {
  return {.id = from.text_at("instanceId"),
          .state = read_machine_state(from.text_at("instanceState/name")),
          .type = from.text_at("instanceType"),
          .zone = from.text_at("placement/availabilityZone"),
          .subnet = from.text_at("subnetId"),
          .address = from.text_at("privateIpAddress"),
          .image = from.text_at("imageId"),
          .launched = from.text_at("launchTime"),
          .token = from.text_at("clientToken"),
          .tags = read_tag_set(from)};
}

Result<Machine> run_one(Client& client, Form form, const std::string& subnet,
                        const std::string& token) {
  form.set("MinCount", 1).set("MaxCount", 1).set("SubnetId", subnet);
  form.set("ClientToken", client_token(token));
  HIVE_ASSIGN(const auto answer, client.query(Op::kRunInstances, form));
  const auto made = answer.list_at("instancesSet");
  if (made.empty()) return fail(Errc::kCorrupt, "ec2 RunInstances: the answer names no instance");
  return read_machine(*made.front());
}

}  // namespace

std::string client_token(const std::string& text) {
  if (text.size() <= kLongestToken) return text;
  const std::string end = "-" + short_hash(text);
  return text.substr(0, kLongestToken - end.size()) + end;
}

std::string_view to_string(MachineState state) { return kStates[static_cast<std::size_t>(state)]; }

Result<Machine> run_instance(Client& client, const LaunchSpec& spec, const std::string& subnet,
                             const std::string& token) {
  Form form;
  put_launch(form, "", spec);
  return run_one(client, std::move(form), subnet, token);
}

Result<Machine> run_from_template(Client& client, const std::string& launch_template,
                                  const std::string& subnet, const Tags& tags,
                                  const std::string& token) {
  Form form;
  form.set("LaunchTemplate.LaunchTemplateName", launch_template);
  form.set("LaunchTemplate.Version", "$Default");
  put_tag_specification(form, "TagSpecification", 0, "instance", tags);
  put_tag_specification(form, "TagSpecification", 1, "volume", tags);
  return run_one(client, std::move(form), subnet, token);
}

Result<std::vector<Machine>> describe_instances(Client& client, const std::string& cluster) {
  Form form;
  put_filter(form, 0, cluster_filter(), {cluster});
  put_filter(form, 1, "instance-state-name",
             {"pending", "running", "stopping", "stopped", "shutting-down"});
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeInstances, form));
  std::vector<Machine> out;
  for (const auto& page : pages)
    for (const Element* reservation : page.list_at("reservationSet"))
      for (const Element* one : reservation->list_at("instancesSet"))
        out.push_back(read_machine(*one));
  return out;
}

Status terminate_instances(Client& client, const std::vector<std::string>& ids) {
  HIVE_TRY(client.query(Op::kTerminateInstances, Form().list("InstanceId", ids)));
  return {};
}

Result<std::string> console_output(Client& client, const std::string& machine) {
  HIVE_ASSIGN(const auto answer,
              client.query(Op::kGetConsoleOutput, Form().set("InstanceId", machine)));
  return base64_decode(answer.text_at("output"));
}

Result<std::vector<LaunchTemplate>> describe_launch_templates(Client& client,
                                                              const std::string& cluster) {
  Form form;
  put_filter(form, 0, cluster_filter(), {cluster});
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeLaunchTemplates, form));
  std::vector<LaunchTemplate> out;
  for (const auto& page : pages)
    for (const Element* one : page.list_at("launchTemplates"))
      out.push_back({.id = one->text_at("launchTemplateId"),
                     .name = one->text_at("launchTemplateName"),
                     .default_version = one->number_at<std::int64_t>("defaultVersionNumber"),
                     .latest_version = one->number_at<std::int64_t>("latestVersionNumber"),
                     .tags = read_tag_set(*one)});
  return out;
}

Result<std::string> launch_template_note(Client& client, const std::string& id) {
  Form form;
  form.set("LaunchTemplateId", id).set("LaunchTemplateVersion.1", "$Default");
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeLaunchTemplateVersions, form));
  for (const auto& page : pages)
    for (const Element* one : page.list_at("launchTemplateVersionSet"))
      return one->text_at("versionDescription");
  return fail(Errc::kNotFound, "launch template " + id + " has no default version");
}

Result<std::string> create_launch_template(Client& client, const std::string& name,
                                           const LaunchSpec& spec, const std::string& note,
                                           const Tags& tags, const std::string& token) {
  Form form;
  form.set("LaunchTemplateName", name).set("VersionDescription", note);
  form.set_unless_empty("ClientToken", token);
  put_launch(form, kTemplatePrefix, spec);
  put_tag_specification(form, "TagSpecification", 0, "launch-template", tags);
  HIVE_ASSIGN(const auto answer, client.query(Op::kCreateLaunchTemplate, form));
  return text_or_corrupt(answer, "launchTemplate/launchTemplateId");
}

Result<std::int64_t> create_launch_template_version(Client& client, const std::string& id,
                                                    const LaunchSpec& spec, const std::string& note,
                                                    const std::string& token) {
  Form form;
  form.set("LaunchTemplateId", id).set("VersionDescription", note);
  form.set_unless_empty("ClientToken", token);
  put_launch(form, kTemplatePrefix, spec);
  HIVE_ASSIGN(const auto answer, client.query(Op::kCreateLaunchTemplateVersion, form));
  const char* number = "launchTemplateVersion/versionNumber";
  HIVE_TRY(text_or_corrupt(answer, number));
  return answer.number_at<std::int64_t>(number);
}

Status set_default_version(Client& client, const std::string& id, std::int64_t version) {
  Form form;
  form.set("LaunchTemplateId", id).set("SetDefaultVersion", version);
  HIVE_TRY(client.query(Op::kModifyLaunchTemplate, form));
  return {};
}

Status delete_launch_template(Client& client, const std::string& id) {
  HIVE_TRY(client.query(Op::kDeleteLaunchTemplate, Form().set("LaunchTemplateId", id)));
  return {};
}

}  // namespace hive::cloud::aws
