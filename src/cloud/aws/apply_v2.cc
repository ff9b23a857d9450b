// The steps about an application or a network balancer. What a step needs and this run did not
// make or see is looked up: another run may have made it.
#include <algorithm>

#include "cloud/aws/apply.h"
#include "cloud/aws/apply_step.h"

namespace hive::cloud::aws {
namespace {

// AttachLoadBalancerTargetGroups takes no more at once.
constexpr std::size_t kMostAttached = 10;

}  // namespace

Result<std::string> Applier::v2_balancer_arn() {
  if (!world_.v2_balancer) {
    HIVE_ASSIGN(auto there, describe_v2_balancer(client_, names_.balancer));
    world_.v2_balancer = V2BalancerState{.ours = true, .balancer = std::move(there)};
  }
  return world_.v2_balancer->balancer.arn;
}

Result<std::string> Applier::v2_listener_arn(std::uint16_t port) {
  HIVE_ASSIGN(const auto balancer, v2_balancer_arn());
  HIVE_ASSIGN(const auto listeners, describe_v2_listeners(client_, balancer));
  for (const auto& one : listeners)
    if (one.port == port) return one.arn;
  return fail(Errc::kNotFound, "the balancer has no listener at port " + std::to_string(port));
}

Result<std::string> Applier::target_group_arn(const std::string& name) {
  if (name.starts_with("arn:")) return name;
  const auto known = world_.target_groups.find(name);
  if (known != world_.target_groups.end()) return known->second.group.arn;
  HIVE_ASSIGN(auto all, describe_target_groups(client_));
  for (auto& one : all) {
    if (one.name != name) continue;
    const std::string arn = one.arn;
    world_.target_groups[name].group = std::move(one);
    return arn;
  }
  return fail(Errc::kNotFound, "there is no target group " + name);
}

Result<std::string> Applier::make_target_group(const Step& step, const Desired& desired) {
  const TargetGroup& want = desired.v2.target_groups.at(step.name);
  switch (step.kind) {
    case StepKind::kModifyTargetGroup: {
      HIVE_ASSIGN(const auto arn, target_group_arn(step.name));
      return plain(modify_target_group(client_, arn, want.check));
    }
    case StepKind::kModifyTargetAttributes: {
      HIVE_ASSIGN(const auto arn, target_group_arn(step.name));
      return plain(modify_target_group_attributes(client_, arn, desired.v2.target_attributes));
    }
    default:
      break;
  }
  HIVE_ASSIGN(const auto arn, create_target_group(client_, want, desired.tags("balancer")));
  TargetGroupState& state = world_.target_groups[step.name];
  state.ours = true;
  state.group = want;
  state.group.arn = arn;
  return std::string();
}

Result<std::string> Applier::make_v2_balancer(const Desired& desired) {
  V2Balancer spec = desired.v2.balancer;
  spec.security_groups.clear();
  for (const auto& name : desired.v2.balancer.security_groups) {
    HIVE_ASSIGN(auto id, group_id(name));
    spec.security_groups.insert(std::move(id));
  }
  HIVE_ASSIGN(auto made, create_v2_balancer(client_, spec, desired.tags("balancer")));
  const std::string address = made.dns_name;
  world_.v2_balancer = V2BalancerState{.ours = true, .balancer = std::move(made)};
  return address;
}

Result<std::string> Applier::make_v2_listener(const Step& step, const Desired& desired) {
  const auto port = static_cast<std::uint16_t>(step.number);
  if (step.kind == StepKind::kDeleteV2Listener) {
    HIVE_ASSIGN(const auto arn, v2_listener_arn(port));
    return plain(delete_v2_listener(client_, arn));
  }
  const auto want = std::find_if(desired.v2.listeners.begin(), desired.v2.listeners.end(),
                                 [&](const V2Listener& one) { return one.port == port; });
  V2Listener spec = *want;
  HIVE_ASSIGN(spec.target_group, target_group_arn(want->target_group));
  if (step.kind == StepKind::kModifyV2Listener) {
    HIVE_ASSIGN(spec.arn, v2_listener_arn(port));
    return plain(modify_v2_listener(client_, spec));
  }
  HIVE_ASSIGN(const auto balancer, v2_balancer_arn());
  return plain(create_v2_listener(client_, balancer, spec, desired.tags("balancer")));
}

Result<std::string> Applier::attach_targets(const Step& step) {
  std::vector<std::string> arns;
  for (const auto& name : step.target_groups) {
    HIVE_ASSIGN(auto arn, target_group_arn(name));
    arns.push_back(std::move(arn));
  }
  for (std::size_t from = 0; from < arns.size(); from += kMostAttached) {
    const std::vector<std::string> some(
        arns.begin() + static_cast<std::ptrdiff_t>(from),
        arns.begin() + static_cast<std::ptrdiff_t>(std::min(arns.size(), from + kMostAttached)));
    HIVE_TRY(step.kind == StepKind::kAttachTargetGroups
                 ? attach_target_groups(client_, step.name, some)
                 : detach_target_groups(client_, step.name, some));
  }
  return std::string();
}

Result<std::string> Applier::register_targets_of_managers(const Desired& desired) {
  auto ids = managers();
  // AWS registers no instance that is stopped.
  std::erase_if(ids, [&](const std::string& id) {
    return std::any_of(world_.machines.begin(), world_.machines.end(), [&](const Machine& one) {
      return one.id == id &&
             (one.state == MachineState::kStopped || one.state == MachineState::kStopping);
    });
  });
  if (ids.empty()) return std::string();
  for (const auto& [name, group] : desired.v2.target_groups) {
    HIVE_ASSIGN(const auto arn, target_group_arn(name));
    HIVE_TRY(register_targets(client_, arn, ids));
  }
  return std::string();
}

Result<std::string> Applier::make_v2(const Step& step, const Desired& desired) {
  switch (step.kind) {
    case StepKind::kCreateTargetGroup:
    case StepKind::kModifyTargetGroup:
    case StepKind::kModifyTargetAttributes:
      return make_target_group(step, desired);
    case StepKind::kAttachTargetGroups:
    case StepKind::kDetachTargetGroups:
      return attach_targets(step);
    case StepKind::kRegisterTargets:
      return register_targets_of_managers(desired);
    case StepKind::kCreateV2Balancer:
      return make_v2_balancer(desired);
    case StepKind::kModifyV2Balancer: {
      HIVE_ASSIGN(const auto arn, v2_balancer_arn());
      return plain(modify_v2_balancer(client_, arn, desired.v2.attributes));
    }
    case StepKind::kCreateV2Listener:
    case StepKind::kModifyV2Listener:
    case StepKind::kDeleteV2Listener:
      return make_v2_listener(step, desired);
    default:
      return take_v2_away(step);
  }
}

Result<std::string> Applier::take_v2_away(const Step& step) {
  switch (step.kind) {
    case StepKind::kDeleteV2Balancer: {
      HIVE_ASSIGN(const auto arn, v2_balancer_arn());
      return plain(delete_v2_balancer(client_, arn));
    }
    case StepKind::kDeleteTargetGroup: {
      HIVE_ASSIGN(const auto arn, target_group_arn(step.name));
      return plain(delete_target_group(client_, arn));
    }
    default:
      return fail(Errc::kInternal, "a step that takes away, in a plan that makes");
  }
}

}  // namespace hive::cloud::aws
