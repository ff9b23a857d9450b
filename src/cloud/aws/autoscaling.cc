#include "cloud/aws/autoscaling.h"

#include "base/text.h"
#include "cloud/aws/credentials.h"

namespace hive::cloud::aws {
namespace {

constexpr const char* kLaunching = "autoscaling:EC2_INSTANCE_LAUNCHING";
constexpr const char* kTerminating = "autoscaling:EC2_INSTANCE_TERMINATING";
// Until the balancer's health check counts: a machine boots, joins and pulls images.
constexpr int kHealthGraceSeconds = 300;
constexpr int kLastActivities = 20;
constexpr std::size_t kShownOfMessage = 200;
constexpr std::chrono::minutes kFailureCounts{30};

void put_mixed_policy(Form& form, const GroupSpec& spec) {
  const std::string at = "MixedInstancesPolicy.LaunchTemplate";
  form.set(at + ".LaunchTemplateSpecification.LaunchTemplateId", spec.launch_template);
  form.set(at + ".LaunchTemplateSpecification.Version", "$Default");
  for (std::size_t i = 0; i < spec.types.size(); ++i)
    form.set(nth(at + ".Overrides.member", i) + ".InstanceType", spec.types[i]);
  const std::string distribution = "MixedInstancesPolicy.InstancesDistribution";
  form.set(distribution + ".OnDemandAllocationStrategy", "prioritized");
  form.set(distribution + ".OnDemandBaseCapacity", "0");
  form.set(distribution + ".OnDemandPercentageAboveBaseCapacity", 100 - spec.spot_percent);
  form.set(distribution + ".SpotAllocationStrategy", "capacity-optimized");
}

void put_spec(Form& form, const GroupSpec& spec) {
  form.set("MinSize", spec.min).set("MaxSize", spec.max);
  put_mixed_policy(form, spec);
  form.set("VPCZoneIdentifier",
           join(std::vector<std::string>(spec.subnets.begin(), spec.subnets.end()), ","));
  form.flag("NewInstancesProtectedFromScaleIn", spec.protected_from_scale_in);
  form.set("HealthCheckType", "EC2").set("HealthCheckGracePeriod", kHealthGraceSeconds);
}

void put_hook_settings(Form& form, const std::string& prefix, const LifecycleHook& hook) {
  form.set(prefix + "LifecycleTransition", hook.launching ? kLaunching : kTerminating);
  form.set(prefix + "HeartbeatTimeout", hook.heartbeat_s);
  form.set(prefix + "DefaultResult", "ABANDON");
}

GroupSpec read_spec(const Element& from) {
  GroupSpec spec;
  spec.min = from.number_at<std::uint32_t>("MinSize");
  spec.max = from.number_at<std::uint32_t>("MaxSize");
  const Element* policy = from.at("MixedInstancesPolicy");
  if (policy != nullptr) {
    spec.launch_template =
        policy->text_at("LaunchTemplate/LaunchTemplateSpecification/LaunchTemplateId");
    for (const Element* one : policy->list_at("LaunchTemplate/Overrides"))
      spec.types.push_back(one->text_at("InstanceType"));
    const char* share = "InstancesDistribution/OnDemandPercentageAboveBaseCapacity";
    if (policy->at(share) != nullptr)
      spec.spot_percent = 100 - policy->number_at<std::uint32_t>(share);
  }
  for (const auto& subnet : split(from.text_at("VPCZoneIdentifier"), ','))
    if (!subnet.empty()) spec.subnets.insert(subnet);
  for (const Element* name : from.list_at("LoadBalancerNames")) spec.balancers.insert(name->text);
  for (const Element* arn : from.list_at("TargetGroupARNs")) spec.target_groups.insert(arn->text);
  spec.protected_from_scale_in = from.text_at("NewInstancesProtectedFromScaleIn") == "true";
  return spec;
}

std::vector<GroupMember> read_members(const Element& from) {
  std::vector<GroupMember> out;
  for (const Element* one : from.list_at("Instances"))
    out.push_back({.id = one->text_at("InstanceId"),
                   .zone = one->text_at("AvailabilityZone"),
                   .lifecycle_state = one->text_at("LifecycleState"),
                   .healthy = one->text_at("HealthStatus") != "Unhealthy",
                   .protected_from_scale_in = one->text_at("ProtectedFromScaleIn") == "true"});
  return out;
}

std::optional<WarmPool> read_warm_pool(const Element& from) {
  const Element* pool = from.at("WarmPoolConfiguration");
  if (pool == nullptr) return std::nullopt;
  WarmPool out{.size = pool->number_at<std::uint32_t>("MinSize"),
               .state = pool->text_at("PoolState"),
               .reuses = pool->text_at("InstanceReusePolicy/ReuseOnScaleIn") == "true",
               .going = !pool->text_at("Status").empty()};
  if (pool->at("MaxGroupPreparedCapacity") != nullptr)
    out.prepared = pool->number_at<std::int32_t>("MaxGroupPreparedCapacity");
  return out;
}

Group read_group(const Element& from) {
  Group group{.name = from.text_at("AutoScalingGroupName"),
              .spec = read_spec(from),
              .desired = from.number_at<std::uint32_t>("DesiredCapacity"),
              .members = read_members(from),
              .status = from.text_at("Status"),
              .warm_pool = read_warm_pool(from)};
  for (const Element* one : from.list_at("SuspendedProcesses"))
    group.suspended.insert(one->text_at("ProcessName"));
  for (const Element* one : from.list_at("Tags"))
    group.tags[one->text_at("Key")] = one->text_at("Value");
  return group;
}

}  // namespace

Result<std::vector<Group>> describe_groups(Client& client, const std::string& cluster) {
  Form form;
  form.set("Filters.member.1.Name", std::string("tag:") + kClusterTag);
  form.set("Filters.member.1.Values.member.1", cluster);
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeGroups, form));
  std::vector<Group> out;
  for (const auto& page : pages)
    for (const Element* one : page.list_at("AutoScalingGroups")) out.push_back(read_group(*one));
  return out;
}

Status create_group(Client& client, const std::string& name, const GroupSpec& spec,
                    const std::vector<LifecycleHook>& hooks, const Tags& tags) {
  Form form;
  form.set("AutoScalingGroupName", name);
  put_spec(form, spec);
  form.set("DesiredCapacity", spec.min);
  form.list("LoadBalancerNames.member",
            std::vector<std::string>(spec.balancers.begin(), spec.balancers.end()));
  form.list("TargetGroupARNs.member",
            std::vector<std::string>(spec.target_groups.begin(), spec.target_groups.end()));
  for (std::size_t n = 0; n < hooks.size(); ++n) {
    const std::string at = nth("LifecycleHookSpecificationList.member", n);
    form.set(at + ".LifecycleHookName", hooks[n].name);
    put_hook_settings(form, at + ".", hooks[n]);
  }
  std::size_t i = 0;
  for (const auto& [key, value] : tags) {
    const std::string at = nth("Tags.member", i++);
    form.set(at + ".ResourceId", name).set(at + ".ResourceType", "auto-scaling-group");
    form.set(at + ".Key", key).set(at + ".Value", value).flag(at + ".PropagateAtLaunch", false);
  }
  HIVE_TRY(client.query(Op::kCreateGroup, form));
  return {};
}

Status update_group(Client& client, const std::string& name, const GroupSpec& spec) {
  Form form;
  form.set("AutoScalingGroupName", name);
  put_spec(form, spec);
  HIVE_TRY(client.query(Op::kUpdateGroup, form));
  return {};
}

Status delete_group(Client& client, const std::string& name) {
  Form form;
  form.set("AutoScalingGroupName", name).flag("ForceDelete", true);
  HIVE_TRY(client.query(Op::kDeleteGroup, form));
  return {};
}

Status set_desired(Client& client, const std::string& group, std::uint32_t desired) {
  Form form;
  form.set("AutoScalingGroupName", group).set("DesiredCapacity", desired);
  form.flag("HonorCooldown", false);
  HIVE_TRY(client.query(Op::kSetDesiredCapacity, form));
  return {};
}

Result<std::vector<Activity>> describe_activities(Client& client, const std::string& group) {
  Form form;
  form.set("AutoScalingGroupName", group).set("MaxRecords", kLastActivities);
  HIVE_ASSIGN(const auto answer, client.query(Op::kDescribeScalingActivities, form));
  std::vector<Activity> out;
  for (const Element* one : answer.list_at("Activities"))
    out.push_back({.description = one->text_at("Description"),
                   .status = one->text_at("StatusCode"),
                   .message = one->text_at("StatusMessage"),
                   .started = one->text_at("StartTime")});
  return out;
}

std::string shortage_of(const std::vector<Activity>& newest_first, WallTime now) {
  for (const auto& one : newest_first) {
    if (!one.description.starts_with("Launching")) continue;
    // One that names its instance got it, whatever became of it then.
    if (one.status != "Failed" || one.description.find(": i-") != std::string::npos) return "";
    if (const auto at = parse_time(one.started); at && now - *at > kFailureCounts) return "";
    if (one.message.empty()) return "AWS does not say why";
    std::string out = one.message.substr(0, kShownOfMessage);
    while (!out.empty() && (out.back() == '.' || out.back() == ' ')) out.pop_back();
    return out;
  }
  return "";
}

Status attach_target_groups(Client& client, const std::string& group,
                            const std::vector<std::string>& arns) {
  Form form;
  form.set("AutoScalingGroupName", group).list("TargetGroupARNs.member", arns);
  HIVE_TRY(client.query(Op::kAttachTargetGroups, form));
  return {};
}

Status detach_target_groups(Client& client, const std::string& group,
                            const std::vector<std::string>& arns) {
  Form form;
  form.set("AutoScalingGroupName", group).list("TargetGroupARNs.member", arns);
  HIVE_TRY(client.query(Op::kDetachTargetGroups, form));
  return {};
}

Status suspend_processes(Client& client, const std::string& group,
                         const std::vector<std::string>& processes) {
  Form form;
  form.set("AutoScalingGroupName", group).list("ScalingProcesses.member", processes);
  HIVE_TRY(client.query(Op::kSuspendProcesses, form));
  return {};
}

Result<std::vector<LifecycleHook>> describe_hooks(Client& client, const std::string& group) {
  HIVE_ASSIGN(const auto answer,
              client.query(Op::kDescribeLifecycleHooks, Form().set("AutoScalingGroupName", group)));
  std::vector<LifecycleHook> out;
  for (const Element* one : answer.list_at("LifecycleHooks"))
    out.push_back({.name = one->text_at("LifecycleHookName"),
                   .launching = one->text_at("LifecycleTransition") == kLaunching,
                   .heartbeat_s = one->number_at<std::uint32_t>("HeartbeatTimeout")});
  return out;
}

Status put_hook(Client& client, const std::string& group, const LifecycleHook& hook) {
  Form form;
  form.set("AutoScalingGroupName", group).set("LifecycleHookName", hook.name);
  put_hook_settings(form, "", hook);
  HIVE_TRY(client.query(Op::kPutLifecycleHook, form));
  return {};
}

// "No active Lifecycle Action found with instance ID ...".
Status unless_over(Status done) {
  if (!done && done.error().code == Errc::kInvalidArgument &&
      done.error().message.find("No active Lifecycle Action") != std::string::npos)
    return {};
  return done;
}

Status complete_lifecycle_action(Client& client, const std::string& group, const std::string& hook,
                                 const std::string& instance, bool go_on) {
  Form form;
  form.set("AutoScalingGroupName", group).set("LifecycleHookName", hook);
  form.set("InstanceId", instance);
  form.set("LifecycleActionResult", go_on ? "CONTINUE" : "ABANDON");
  HIVE_TRY(client.query(Op::kCompleteLifecycleAction, form));
  return {};
}

Status record_heartbeat(Client& client, const std::string& group, const std::string& hook,
                        const std::string& instance) {
  Form form;
  form.set("AutoScalingGroupName", group).set("LifecycleHookName", hook);
  form.set("InstanceId", instance);
  HIVE_TRY(client.query(Op::kRecordHeartbeat, form));
  return {};
}

Status put_warm_pool(Client& client, const std::string& group, const WarmPool& pool) {
  Form form;
  form.set("AutoScalingGroupName", group).set("MinSize", pool.size);
  form.set("MaxGroupPreparedCapacity", std::to_string(pool.prepared));
  form.set("PoolState", pool.state).flag("InstanceReusePolicy.ReuseOnScaleIn", pool.reuses);
  HIVE_TRY(client.query(Op::kPutWarmPool, form));
  return {};
}

Status delete_warm_pool(Client& client, const std::string& group) {
  Form form;
  form.set("AutoScalingGroupName", group).flag("ForceDelete", true);
  HIVE_TRY(client.query(Op::kDeleteWarmPool, form));
  return {};
}

Result<std::vector<GroupMember>> warm_members(Client& client, const std::string& group) {
  HIVE_ASSIGN(const auto pages,
              client.query_all(Op::kDescribeWarmPool, Form().set("AutoScalingGroupName", group)));
  std::vector<GroupMember> out;
  for (const auto& page : pages)
    for (auto& one : read_members(page)) out.push_back(std::move(one));
  return out;
}

Status set_instance_protection(Client& client, const std::string& group,
                               const std::vector<std::string>& instances, bool protect) {
  Form form;
  form.set("AutoScalingGroupName", group).list("InstanceIds.member", instances);
  form.flag("ProtectedFromScaleIn", protect);
  HIVE_TRY(client.query(Op::kSetInstanceProtection, form));
  return {};
}

Status terminate_in_group(Client& client, const std::string& instance, bool shrink) {
  Form form;
  form.set("InstanceId", instance).flag("ShouldDecrementDesiredCapacity", shrink);
  HIVE_TRY(client.query(Op::kTerminateInGroup, form));
  return {};
}

}  // namespace hive::cloud::aws
