// AWS as far as the planner's rules need it, in memory: each step of a plan changes the world as
// AWS would, and fails the test when AWS would refuse it (a group in use, a profile that is not
// there).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cloud/aws/plan.h"
#include "cloud/aws/testing/model_v2.h"

namespace hive::cloud::aws::testing {

class ModelWorld {
 public:
  explicit ModelWorld(Desired desired) : desired_(std::move(desired)) {}
  ModelWorld(const ModelWorld& other)
      : world(other.world), desired_(other.desired_), count_(other.count_) {
    v2_.count = other.v2_.count;
  }
  ModelWorld& operator=(const ModelWorld&) = delete;

  // The file changes: what is asked for from now on.
  void ask(Desired desired) { desired_ = std::move(desired); }

  World world;

  void apply(const Step& step) {
    SCOPED_TRACE(step.subject);
    if (v2_.apply(step)) return;
    switch (step.kind) {
      case StepKind::kCreateRepository:
        world.repositories[step.name] = {.ours = true};
        return;
      case StepKind::kPutLifecyclePolicy:
        world.repositories.at(step.name).lifecycle_policy = desired_.lifecycle_policy;
        return;
      case StepKind::kCreateRole:
        EXPECT_FALSE(role(step).role);
        role(step).role = true;
        return;
      case StepKind::kPutRolePolicy:
        EXPECT_TRUE(role(step).role);
        role(step).policy = desired_.roles.at(step.name);
        return;
      case StepKind::kCreateProfile:
        EXPECT_FALSE(role(step).profile);
        role(step).profile = true;
        return;
      case StepKind::kJoinProfile:
        EXPECT_TRUE(role(step).role && role(step).profile);
        role(step).joined = true;
        return;
      case StepKind::kCreateSecurityGroup:
        EXPECT_EQ(world.security_groups.count(step.name), 0U);
        world.security_groups[step.name] = {.id = fresh("sg-"), .name = step.name};
        return;
      case StepKind::kAuthorize:
        for (auto rule : step.rules) {
          if (!rule.group.empty()) rule.group = group(rule.group).id;
          group(step.name).ingress.push_back(rule);
        }
        return;
      case StepKind::kRevoke:
        for (auto rule : step.rules) {
          if (!rule.group.empty() && !rule.group.starts_with("sg-"))
            rule.group = group(rule.group).id;
          EXPECT_GT(std::erase(group(step.name).ingress, rule), 0U);
        }
        return;
      case StepKind::kLaunchManager:
        return launch(step);
      default:
        return apply_rest(step);
    }
  }

  bool empty() const {
    for (const auto& [name, role] : world.roles)
      if (role.role || role.profile || role.policy || role.joined) return false;
    return world.security_groups.empty() && world.repositories.empty() && !world.balancer &&
           !world.v2_balancer && world.target_groups.empty() && world.machines.empty() &&
           world.templates.empty() && !world.workers;
  }

 private:
  RoleState& role(const Step& step) { return world.roles[step.name]; }
  SecurityGroup& group(const std::string& name) { return world.security_groups.at(name); }
  std::string fresh(const char* prefix) { return prefix + std::to_string(++count_); }

  LaunchSpec with_ids(LaunchSpec spec) {
    for (auto& name : spec.security_groups) name = group(name).id;
    return spec;
  }

  void launch(const Step& step) {
    EXPECT_TRUE(world.roles.at(desired_.names.manager_role).joined);
    const LaunchSpec spec = with_ids(desired_.manager);
    Machine machine{.id = fresh("i-"),
                    .state = MachineState::kRunning,
                    .type = spec.type,
                    .image = spec.image,
                    .tags = spec.tags};
    machine.tags["Name"] = step.name;
    world.machines.push_back(std::move(machine));
  }

  void apply_rest(const Step& step) {
    switch (step.kind) {
      case StepKind::kCreateBalancer:
        EXPECT_FALSE(world.balancer);
        world.balancer = BalancerState{.ours = true, .balancer = desired_.balancer};
        world.balancer->balancer.health = {.target = "TCP:80", .interval_s = 30};
        return;
      case StepKind::kConfigureHealth:
        world.balancer->balancer.health = desired_.balancer.health;
        return;
      case StepKind::kModifyBalancer:
        world.balancer->attributes = desired_.attributes;
        return;
      case StepKind::kDeleteListeners:
        for (const auto& one : step.listeners)
          EXPECT_EQ(std::erase_if(world.balancer->balancer.listeners,
                                  [&](const auto& other) { return other.port == one.port; }),
                    1U);
        return;
      case StepKind::kCreateListeners:
        for (const auto& one : step.listeners) world.balancer->balancer.listeners.insert(one);
        return;
      case StepKind::kRegisterManagers:
        for (const auto& machine : world.machines)
          if (machine.tags.at(kRoleTag) == "manager")
            world.balancer->balancer.instances.insert(machine.id);
        return;
      case StepKind::kCreateTemplate:
        EXPECT_EQ(world.templates.count(step.name), 0U);
        world.templates[step.name] = TemplateState{{.id = fresh("lt-"), .name = step.name}, ""};
        [[fallthrough]];
      case StepKind::kUpdateTemplate:
        world.templates.at(step.name).note = template_note(with_ids(
            step.name == desired_.names.manager_template ? desired_.manager : desired_.worker));
        return;
      case StepKind::kCreateGroup:
        EXPECT_FALSE(world.workers);
        EXPECT_TRUE(world.balancer || world.v2_balancer);
        EXPECT_TRUE(world.roles.at(desired_.names.worker_role).joined);
        world.workers = GroupState{{.name = step.name}, desired_.hooks};
        [[fallthrough]];
      case StepKind::kUpdateGroup: {
        const bool made = step.kind == StepKind::kCreateGroup;
        auto attached =
            made ? arns(desired_.workers.target_groups) : world.workers->group.spec.target_groups;
        world.workers->group.spec = desired_.workers;
        world.workers->group.spec.target_groups = std::move(attached);
        world.workers->group.spec.launch_template =
            world.templates.at(desired_.names.worker_template).launch_template.id;
        return;
      }
      case StepKind::kSuspend:
        world.workers->group.suspended.insert("AZRebalance");
        return;
      case StepKind::kPutHook: {
        auto& hooks = world.workers->hooks;
        std::erase_if(hooks, [&](const auto& hook) { return hook.name == step.name; });
        hooks.push_back(*std::find_if(desired_.hooks.begin(), desired_.hooks.end(),
                                      [&](const auto& hook) { return hook.name == step.name; }));
        return;
      }
      case StepKind::kPutWarmPool:
        world.workers->group.warm_pool = desired_.warm_pool;
        return;
      default:
        return take_away(step);
    }
  }

  void take_away(const Step& step) {
    switch (step.kind) {
      case StepKind::kDeleteWarmPool:
        EXPECT_TRUE(world.workers->group.warm_pool);
        world.workers->group.warm_pool.reset();
        return;
      case StepKind::kDeleteGroup:
        for (const auto& member : world.workers->group.members)
          std::erase_if(world.machines, [&](const auto& one) { return one.id == member.id; });
        world.workers.reset();
        return;
      case StepKind::kTerminate:
        for (const auto& id : step.instances)
          std::erase_if(world.machines, [&](const auto& one) { return one.id == id; });
        return;
      case StepKind::kDeleteBalancer:
        world.balancer.reset();
        return;
      case StepKind::kDeleteTemplate:
        EXPECT_FALSE(world.workers);
        EXPECT_EQ(world.templates.erase(step.name), 1U);
        return;
      case StepKind::kDeleteSecurityGroup:
        EXPECT_TRUE(world.machines.empty());
        EXPECT_FALSE(world.balancer || world.v2_balancer);
        for (const auto& [name, other] : world.security_groups)
          for (const auto& rule : other.ingress)
            EXPECT_TRUE(name == step.name || rule.group != group(step.name).id);
        world.security_groups.erase(step.name);
        return;
      case StepKind::kLeaveProfile:
        role(step).joined = false;
        return;
      case StepKind::kDeleteProfile:
        EXPECT_FALSE(role(step).joined);
        role(step).profile = false;
        if (!role(step).role) world.roles.erase(step.name);
        return;
      case StepKind::kDeleteRolePolicy:
        role(step).policy.reset();
        return;
      case StepKind::kDeleteRole:
        EXPECT_FALSE(role(step).policy || role(step).joined);
        world.roles.erase(step.name);
        return;
      case StepKind::kDeleteRepository:
        world.repositories.erase(step.name);
        return;
      default:
        ADD_FAILURE() << "a step that the model does not know";
    }
  }

  std::set<std::string> arns(const std::set<std::string>& names) {
    std::set<std::string> out;
    for (const auto& name : names) out.insert(world.target_groups.at(name).group.arn);
    return out;
  }

  Desired desired_;
  ModelV2 v2_{world, desired_};
  int count_ = 0;
};

inline void apply_all(ModelWorld& model, const Plan& plan) {
  for (const auto& step : plan.steps) model.apply(step);
}

inline std::vector<std::string> subjects(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& step : plan.steps) out.push_back(step.subject);
  return out;
}

}  // namespace hive::cloud::aws::testing
