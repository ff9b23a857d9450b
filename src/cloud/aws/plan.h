// The planner: pure. What is asked for and what is there give the steps from the one to the other,
// in the order in which they are to be done. Level-triggered: after any prefix of the steps,
// whatever else has happened meanwhile, planning again gives what is still missing; when nothing
// is, no step.
//
// `hive up --dry-run` prints the plan; apply.h carries it out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cloud/aws/desired.h"
#include "cloud/aws/world.h"

namespace hive::cloud::aws {

enum class StepKind {
  kCreateRepository,
  kPutLifecyclePolicy,
  kCreateRole,
  kPutRolePolicy,
  kCreateProfile,
  kJoinProfile,
  kCreateSecurityGroup,
  kAuthorize,
  kRevoke,
  kLaunchManager,
  kCreateBalancer,
  kConfigureHealth,
  kModifyBalancer,
  kDeleteListeners,
  kCreateListeners,
  kRegisterManagers,
  kCreateTargetGroup,
  kModifyTargetGroup,
  kModifyTargetAttributes,
  kAttachTargetGroups,
  kDetachTargetGroups,
  kCreateV2Balancer,
  kModifyV2Balancer,
  kCreateV2Listener,
  kModifyV2Listener,
  kDeleteV2Listener,
  kRegisterTargets,
  kCreateTemplate,
  kUpdateTemplate,
  kCreateGroup,
  kUpdateGroup,
  kSuspend,
  kPutHook,
  kPutWarmPool,
  // taking away
  kDeleteWarmPool,
  kDeleteGroup,
  kTerminate,
  kDeleteBalancer,
  kDeleteV2Balancer,
  kDeleteTargetGroup,
  kDeleteTemplate,
  kDeleteSecurityGroup,
  kLeaveProfile,
  kDeleteProfile,
  kDeleteRolePolicy,
  kDeleteRole,
  kDeleteRepository,
};

enum class Effect { kMake, kChange, kRemove };

struct Step {
  StepKind kind;
  Effect effect;
  std::string subject;               // "security group hive-shop-nodes"
  std::vector<std::string> details;  // "+ tcp 80 from 0.0.0.0/0": what changes, a line each
  std::string name;                  // of the thing
  std::uint32_t number = 0;          // of a manager, from 1; the port of a listener
  std::vector<IngressRule> rules;    // groups by name where the cluster has them, else by id
  std::vector<BalancerListener> listeners;
  std::vector<std::string> instances;
  std::vector<std::string> target_groups;  // by name, or by ARN
};

struct Plan {
  std::vector<Step> steps;
  // What is not as asked for and is left so, with the reason; a line each.
  std::vector<std::string> notes;
  // Why nothing can be done: a name is taken by a thing that is not the cluster's.
  std::vector<std::string> refusals;
};

Plan plan_up(const Desired& desired, const World& world);
// Everything that is the cluster's, and nothing else. Repositories go only if they are empty.
Plan plan_down(const Names& names, const World& world);

// A diff: "+ security group hive-shop-nodes", its details below.
std::string render(const Plan& plan);

}  // namespace hive::cloud::aws
