// The part of ModelWorld about an application or a network balancer: fails the test where AWS would
// refuse a step.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cloud/aws/plan.h"

namespace hive::cloud::aws::testing {

class ModelV2 {
 public:
  // Both outlive it.
  ModelV2(World& world, const Desired& desired) : world_(world), desired_(desired) {}

  int count = 0;  // of target groups, ever

  // False for a step that is not of these.
  bool apply(const Step& step) {
    switch (step.kind) {
      case StepKind::kCreateTargetGroup: {
        EXPECT_EQ(world_.target_groups.count(step.name), 0U);
        TargetGroupState state{.ours = true, .group = desired_.v2.target_groups.at(step.name)};
        state.group.arn = "arn:aws:elasticloadbalancing:r:1:targetgroup/" + step.name + "/" +
                          std::to_string(++count);
        state.attributes["deregistration_delay.timeout_seconds"] = "300";
        world_.target_groups[step.name] = std::move(state);
        return true;
      }
      case StepKind::kModifyTargetGroup:
        group(step.name).group.check = desired_.v2.target_groups.at(step.name).check;
        return true;
      case StepKind::kModifyTargetAttributes:
        for (const auto& [key, value] : desired_.v2.target_attributes)
          group(step.name).attributes[key] = value;
        return true;
      case StepKind::kAttachTargetGroups:
        for (const auto& name : step.target_groups) attached().insert(group(name).group.arn);
        return true;
      case StepKind::kDetachTargetGroups:
        for (const auto& arn : step.target_groups) EXPECT_EQ(attached().erase(arn), 1U) << arn;
        return true;
      case StepKind::kRegisterTargets:
        for (const auto& [name, want] : desired_.v2.target_groups)
          for (const auto& machine : world_.machines)
            if (machine.tags.at(kRoleTag) == "manager") group(name).registered.insert(machine.id);
        return true;
      default:
        return balancer(step);
    }
  }

 private:
  TargetGroupState& group(const std::string& name) { return world_.target_groups.at(name); }
  std::set<std::string>& attached() { return world_.workers->group.spec.target_groups; }

  auto listener(std::uint32_t port) {
    auto& all = world_.v2_balancer->listeners;
    return std::find_if(all.begin(), all.end(),
                        [&](const V2Listener& one) { return one.port == port; });
  }
  V2Listener wanted(std::uint32_t port) {
    for (V2Listener one : desired_.v2.listeners) {
      if (one.port != port) continue;
      // Whoever comes there finds somebody: nothing serves without targets.
      EXPECT_FALSE(world_.machines.empty() || group(one.target_group).registered.empty());
      one.target_group = group(one.target_group).group.arn;
      one.arn = "arn:listener/" + std::to_string(port);
      return one;
    }
    ADD_FAILURE() << "no listener at " << port << " is asked for";
    return {};
  }

  bool balancer(const Step& step) {
    switch (step.kind) {
      case StepKind::kCreateV2Balancer:
        EXPECT_FALSE(world_.v2_balancer || world_.balancer);
        world_.v2_balancer = V2BalancerState{.ours = true, .balancer = desired_.v2.balancer};
        world_.v2_balancer->balancer.arn = "arn:balancer";
        world_.v2_balancer->balancer.security_groups = {
            world_.security_groups.at(desired_.names.balancer_group).id};
        return true;
      case StepKind::kModifyV2Balancer:
        for (const auto& [key, value] : desired_.v2.attributes)
          world_.v2_balancer->attributes[key] = value;
        return true;
      case StepKind::kCreateV2Listener:
        EXPECT_EQ(listener(step.number), world_.v2_balancer->listeners.end());
        world_.v2_balancer->listeners.push_back(wanted(step.number));
        return true;
      case StepKind::kModifyV2Listener:
        *listener(step.number) = wanted(step.number);
        return true;
      case StepKind::kDeleteV2Listener:
        world_.v2_balancer->listeners.erase(listener(step.number));
        return true;
      case StepKind::kDeleteV2Balancer:
        world_.v2_balancer.reset();
        return true;
      case StepKind::kDeleteTargetGroup:
        remove(step.name);
        return true;
      default:
        return false;
    }
  }

  void remove(const std::string& name) {
    const std::string arn = group(name).group.arn;
    if (world_.v2_balancer) {
      for (const auto& one : world_.v2_balancer->listeners) EXPECT_NE(one.target_group, arn);
    }
    if (world_.workers) {
      EXPECT_EQ(attached().count(arn), 0U);
    }
    world_.target_groups.erase(name);
  }

  World& world_;
  const Desired& desired_;
};

}  // namespace hive::cloud::aws::testing
