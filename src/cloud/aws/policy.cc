#include "cloud/aws/policy.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "cloud/aws/board.h"
#include "cloud/aws/names.h"
#include "cloud/aws/tags.h"

namespace hive::cloud::aws {
namespace {

struct Writer {
  const Callers who;
  const Names names;
  const std::string region;     // or "*"
  const std::string partition;  // "aws", "aws-cn", "aws-us-gov"
  Json statements = Json::array();

  std::string arn(const std::string& service, const std::string& resource) const {
    const bool global = service == "iam";
    return "arn:" + partition + ":" + service + ":" + (global ? "" : region) + ":*:" + resource;
  }

  void allow(const std::string& name, const std::set<std::string>& actions, const Json& resource,
             const Json& condition = nullptr) {
    Json one{{"Sid", name}, {"Effect", "Allow"}, {"Action", actions}, {"Resource", resource}};
    if (!condition.is_null()) one["Condition"] = condition;
    statements.push_back(std::move(one));
  }

  Json equals(const std::string& key, const std::string& value) const {
    return {{"StringEquals", {{key, value}}}};
  }
  Json tagged() const {
    return equals(std::string("aws:ResourceTag/") + kClusterTag, names.cluster);
  }
  Json tagging() const {
    return equals(std::string("aws:RequestTag/") + kClusterTag, names.cluster);
  }

  void write(Scope scope, const std::set<std::string>& actions);
  void launching(const std::set<std::string>& actions);
  void launching_from_template(const std::set<std::string>& actions);
  void imaging(const std::set<std::string>& actions);
  void tag_at_creation(bool launches);
  void tag_replacements();
  void pass_role(const Json& roles);
  void service_roles();
};

// With the action that tags what these make.
std::set<std::string> with(std::set<std::string> actions, const char* tagging) {
  actions.insert(tagging);
  return actions;
}

// A machine and its disk are made with the tag; what it is made from is there already. "s*" is
// subnets and security groups, in few characters, since the document has a quota; that snapshots
// and Spot requests are among them opens nothing: there is no launch without the first statement.
void Writer::launching(const std::set<std::string>& actions) {
  allow("Launch", actions, {arn("ec2", "instance/*"), arn("ec2", "volume/*")}, tagging());
  allow("LaunchFrom", actions,
        {"arn:" + partition + ":ec2:" + region + "::image/*", arn("ec2", "s*/*"),
         arn("ec2", "network-interface/*"), arn("ec2", "launch-template/*")});
}

// A manager launches another by the operator's template alone: image, role, network and disk are
// the template's, only the subnet is the manager's to choose. Source: Amazon EC2 User Guide,
// example policies for launch templates: what a caller may not override is bound by
// ec2:IsLaunchTemplateResource.
void Writer::launching_from_template(const std::set<std::string>& actions) {
  const Json of_template{{"ec2:IsLaunchTemplateResource", "true"}};
  Json made = tagging();
  made["StringEquals"][std::string("aws:RequestTag/") + kRoleTag] = "manager";
  made["Bool"] = of_template;
  allow("Launch", actions, {arn("ec2", "instance/*"), arn("ec2", "volume/*")}, made);
  allow("LaunchFrom", actions,
        {"arn:" + partition + ":ec2:" + region + "::image/*", arn("ec2", "security-group/*")},
        {{"Bool", of_template}});
  allow("LaunchInto", actions, {arn("ec2", "subnet/*"), arn("ec2", "network-interface/*")});
  Json by = tagged();
  by["StringEquals"][std::string("aws:ResourceTag/") + kRoleTag] = "manager";
  allow("LaunchBy", actions, arn("ec2", "launch-template/*"), by);
}

// An image and its disks' snapshots are made with the tag, of a machine that bears it.
void Writer::imaging(const std::set<std::string>& actions) {
  const std::string anywhere = "arn:" + partition + ":ec2:" + region + "::";
  allow("MakeImage", actions, {anywhere + "image/*", anywhere + "snapshot/*"}, tagging());
  allow("MakeImageOf", actions, arn("ec2", "instance/*"), tagged());
}

void Writer::write(Scope scope, const std::set<std::string>& actions) {
  switch (scope) {
    case Scope::kAny:
      return allow("Look", actions, "*");
    case Scope::kTagged:
      return allow("ChangeOwn", actions, "*", tagged());
    case Scope::kTagging: {
      allow("MakeOwn", actions, "*", tagging());
      // A security group is made in a VPC, which bears no tag of the cluster's.
      if (actions.count("ec2:CreateSecurityGroup") > 0)
        allow("MakeInVpc", {"ec2:CreateSecurityGroup"}, arn("ec2", "vpc/*"));
      return;
    }
    case Scope::kLaunching:
      return who == kManager ? launching_from_template(actions) : launching(actions);
    case Scope::kImaging:
      return imaging(actions);
    case Scope::kRole:
      return allow(
          "Roles", with(actions, "iam:TagRole"),
          {arn("iam", "role/" + names.manager_role), arn("iam", "role/" + names.worker_role)});
    case Scope::kProfile:
      return allow("Profiles", with(actions, "iam:TagInstanceProfile"),
                   {arn("iam", "instance-profile/" + names.manager_role),
                    arn("iam", "instance-profile/" + names.worker_role)});
    case Scope::kBalancer:
      // Classic; application ("app/NAME/id"), network ("net/NAME/id") and their listeners.
      return allow("Balancer", actions,
                   {arn("elasticloadbalancing", "loadbalancer/" + names.balancer),
                    arn("elasticloadbalancing", "l*/*/" + names.balancer + "/*")});
    case Scope::kRepository:
      return allow("Repositories", actions, arn("ecr", "repository/*"), tagged());
    case Scope::kParameter:
      // Workers learn where the Swarm is, and nothing of what is deployed.
      return allow(
          "Parameters", actions,
          arn("ssm", "parameter" + names.parameter_prefix + (who == kWorker ? kSwarmNotice : "*")));
  }
}

// Tags that a creating call sets ask for actions of their own.
void Writer::tag_at_creation(bool launches) {
  std::vector<std::string> creating{"CreateSecurityGroup", "CreateLaunchTemplate", "CreateImage"};
  if (launches) creating.push_back("RunInstances");
  Json condition = tagging();
  condition["StringEquals"]["ec2:CreateAction"] = creating;
  allow("TagWhatIsMade", {"ec2:CreateTags"}, "*", condition);
  allow("TagGroups",
        {"autoscaling:CreateOrUpdateTags", "ecr:TagResource", "elasticloadbalancing:AddTags"}, "*",
        tagging());
}

// A manager's replacement is tagged as it is launched.
void Writer::tag_replacements() {
  Json condition = tagging();
  condition["StringEquals"]["ec2:CreateAction"] = "RunInstances";
  allow("TagWhatIsMade", {"ec2:CreateTags"}, {arn("ec2", "instance/*"), arn("ec2", "volume/*")},
        condition);
}

// Machines are given their roles.
void Writer::pass_role(const Json& roles) {
  allow("GiveRoles", {"iam:PassRole"}, roles,
        equals("iam:PassedToService",
               partition == "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com"));
}

// AWS's services make their own when an account first uses them.
void Writer::service_roles() {
  allow("ServiceRoles", {"iam:CreateServiceLinkedRole"}, arn("iam", "role/aws-service-role/*"),
        equals("iam:AWSServiceName", "autoscaling.amazonaws.com"));
  statements.back()["Condition"]["StringEquals"]["iam:AWSServiceName"] = {
      "autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com"};
}

// Pulling is Docker's, with the token: no call of hive's.
void pull_images(Writer& writer) {
  writer.allow(
      "PullImages",
      {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
      // Of any region: the registry may be in another than the cluster.
      "arn:" + writer.partition + ":ecr:*:*:repository/*");
}

std::string arn_partition(const std::string& region) {
  if (region.starts_with("cn-")) return "aws-cn";
  return region.starts_with("us-gov-") ? "aws-us-gov" : "aws";
}

}  // namespace

Json policy_document(Callers who, const std::string& cluster, const std::string& region) {
  Writer writer{who, Names(cluster), region.empty() ? "*" : region, arn_partition(region)};
  std::map<Scope, std::set<std::string>> actions;
  for (const auto& one : all_operations())
    if ((one.callers & who) != 0) actions[one.scope].insert(iam_action(one));
  for (const auto& [scope, names] : actions) writer.write(scope, names);
  if (who == kOperator) {
    writer.tag_at_creation(actions.count(Scope::kLaunching) > 0);
    writer.pass_role({writer.arn("iam", "role/" + writer.names.manager_role),
                      writer.arn("iam", "role/" + writer.names.worker_role)});
    writer.service_roles();
  } else {
    pull_images(writer);
  }
  if (who == kManager) {
    writer.tag_replacements();
    writer.pass_role(writer.arn("iam", "role/" + writer.names.manager_role));
  }
  return {{"Version", "2012-10-17"}, {"Statement", std::move(writer.statements)}};
}

}  // namespace hive::cloud::aws
