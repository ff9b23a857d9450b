// What there is of a cluster in AWS: all that bears its tag, as last observed. A value; the planner
// compares it with Desired.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "cloud/aws/autoscaling.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/elb.h"
#include "cloud/aws/elbv2.h"
#include "cloud/aws/target_group.h"

namespace hive::cloud::aws {

struct RoleState {
  bool foreign = false;        // a role of that name is not the cluster's
  bool role = false;           // there is the role,
  std::optional<Json> policy;  // its policy,
  bool profile = false;        // the instance profile of its name,
  bool joined = false;         // and the role is in the profile
};

struct RepositoryState {
  bool ours = false;  // bears the cluster's tag
  std::optional<Json> lifecycle_policy;
};

struct BalancerState {
  bool ours = false;
  Balancer balancer;  // security groups by id
  BalancerAttributes attributes;
};

// An application or a network balancer.
struct V2BalancerState {
  bool ours = false;
  V2Balancer balancer;  // security groups by id
  V2Attributes attributes;
  std::vector<V2Listener> listeners;  // target groups by ARN
};

struct TargetGroupState {
  bool ours = false;
  TargetGroup group;
  V2Attributes attributes;
  std::set<std::string> registered;  // instances, without those that drain
};

struct TemplateState {
  LaunchTemplate launch_template;
  std::string note;  // of its default version, see template_note()
};

struct GroupState {
  Group group;
  std::vector<LifecycleHook> hooks;
};

struct World {
  std::map<std::string, SecurityGroup> security_groups;  // by name
  std::map<std::string, RoleState> roles;                // those that have anything, by name
  std::map<std::string, RepositoryState> repositories;   // of those that were asked for
  std::optional<BalancerState> balancer;
  std::optional<V2BalancerState> v2_balancer;
  // By name: the cluster's, and others' whose names could be the cluster's.
  std::map<std::string, TargetGroupState> target_groups;
  std::vector<Machine> machines;                   // terminated ones are not among them
  std::map<std::string, TemplateState> templates;  // by name
  std::optional<GroupState> workers;
};

}  // namespace hive::cloud::aws
