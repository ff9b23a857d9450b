// EC2 Auto Scaling, as far as hive needs it. Errors as in client.h.
// Source: Amazon EC2 Auto Scaling API Reference, 2011-01-01.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/tags.h"

namespace hive::cloud::aws {

// What hive sets of a group.
struct GroupSpec {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  std::string launch_template;          // by id; its default version
  std::vector<std::string> types;       // in order of preference
  std::uint32_t spot_percent = 0;       // the rest is on demand
  std::set<std::string> subnets;        // by id
  std::set<std::string> balancers;      // Classic, by name
  std::set<std::string> target_groups;  // by ARN
  bool protected_from_scale_in = true;  // new instances: hive chooses who goes, never the group
  bool operator==(const GroupSpec&) const = default;
};

// Instances that are prepared ahead and wait beside the group until it grows. AWS keeps just `size`
// of them where `prepared` is the same number.
struct WarmPool {
  std::uint32_t size = 0;
  std::int32_t prepared = -1;  // the most of the pool and the group together; -1: the group's max
  std::string state = "Stopped";  // how they wait: or "Running", "Hibernated"
  bool reuses = false;            // what the group ends goes back into the pool
  bool going = false;             // it is being deleted
  bool operator==(const WarmPool&) const = default;
};

struct GroupMember {
  std::string id;
  std::string zone;
  std::string lifecycle_state;  // "InService", "Terminating:Wait", ...
  bool healthy = true;
  bool protected_from_scale_in = false;
};

struct Group {
  std::string name;
  GroupSpec spec;
  std::uint32_t desired = 0;
  std::set<std::string> suspended;   // processes: "AZRebalance"
  std::vector<GroupMember> members;  // without those in the warm pool
  std::string status;                // "Delete in progress"; empty ordinarily
  std::optional<WarmPool> warm_pool;
  Tags tags;
};

// What a group did, or tried to.
struct Activity {
  std::string description;  // "Launching a new EC2 instance: i-0a1b2c3d"
  std::string status;       // "InProgress", "Successful", "Failed", ...
  std::string message;      // why it failed, in AWS's words
  std::string started;      // ISO 8601
};

struct LifecycleHook {
  std::string name;
  bool launching = false;  // else terminating
  std::uint32_t heartbeat_s = 3'600;
  bool operator==(const LifecycleHook&) const = default;
};

// Those that bear the cluster's tag.
Result<std::vector<Group>> describe_groups(Client& client, const std::string& cluster);
// With `min` as its size at the beginning, and with its hooks, so that no machine goes by them.
// kAlreadyExists.
Status create_group(Client& client, const std::string& name, const GroupSpec& spec,
                    const std::vector<LifecycleHook>& hooks, const Tags& tags);
// All of the spec but the balancers, which a group is given at its creation, and the target groups.
Status update_group(Client& client, const std::string& name, const GroupSpec& spec);
// Its machines too. kNotFound, kFailedPrecondition while it is being changed.
Status delete_group(Client& client, const std::string& name);
// Within the group's bounds, else kInvalidArgument.
Status set_desired(Client& client, const std::string& group, std::uint32_t desired);
// The last ones, the newest first.
Result<std::vector<Activity>> describe_activities(Client& client, const std::string& group);
// Why the group got no instance when it tried last; empty when it got one, or when that was long
// ago. Pure.
std::string shortage_of(const std::vector<Activity>& newest_first, WallTime now);
// The group's instances are registered there from then on, those that it has at once, or
// deregistered. kNotFound for a target group that is gone.
Status attach_target_groups(Client& client, const std::string& group,
                            const std::vector<std::string>& arns);
Status detach_target_groups(Client& client, const std::string& group,
                            const std::vector<std::string>& arns);
Status suspend_processes(Client& client, const std::string& group,
                         const std::vector<std::string>& processes);

Result<std::vector<LifecycleHook>> describe_hooks(Client& client, const std::string& group);
// A hook that nobody answers in time lets the machine go on, as ABANDON, which is the default.
Status put_hook(Client& client, const std::string& group, const LifecycleHook& hook);
// What an answer to a hook comes to: one that was answered before, or ended by itself, is no error.
Status unless_over(Status done);
Status complete_lifecycle_action(Client& client, const std::string& group, const std::string& hook,
                                 const std::string& instance, bool go_on);
Status record_heartbeat(Client& client, const std::string& group, const std::string& hook,
                        const std::string& instance);

// Made, or changed. kNotFound without the group.
Status put_warm_pool(Client& client, const std::string& group, const WarmPool& pool);
// Its instances too. kFailedPrecondition while it is being changed.
Status delete_warm_pool(Client& client, const std::string& group);
// Their states are "Warmed:Pending:Wait", "Warmed:Stopped", ...
Result<std::vector<GroupMember>> warm_members(Client& client, const std::string& group);

Status set_instance_protection(Client& client, const std::string& group,
                               const std::vector<std::string>& instances, bool protect);
// Through the hooks. With `shrink` the group's desired size goes down by one.
Status terminate_in_group(Client& client, const std::string& instance, bool shrink);

}  // namespace hive::cloud::aws
