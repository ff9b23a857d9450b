// Taking everything away: in the order that AWS's own dependencies want.
#include "cloud/aws/plan.h"
#include "cloud/aws/plan_v2.h"

namespace hive::cloud::aws {
namespace {

class DownPlanner {
 public:
  DownPlanner(const Names& names, const World& world) : names_(names), world_(world) {}

  Plan plan() {
    workers();
    machines();
    balancer();
    plan_v2_down(names_, world_, plan_);
    templates();
    security_groups();
    for (const auto& [name, state] : world_.roles) role(name, state);
    repositories();
    return std::move(plan_);
  }

 private:
  Step& add(StepKind kind, const std::string& what, const std::string& name) {
    return plan_.steps.emplace_back(Step{kind, Effect::kRemove, what + " " + name, {}, name});
  }

  void workers() {
    if (!world_.workers) return;
    if (const auto& pool = world_.workers->group.warm_pool; pool && !pool->going)
      add(StepKind::kDeleteWarmPool, "warm pool of worker group", names_.worker_group);
    Step& step = add(StepKind::kDeleteGroup, "worker group", names_.worker_group);
    step.details.push_back("- with " + std::to_string(world_.workers->group.members.size()) +
                           " workers");
  }

  // The group's too: that it ends those that are protected from scale-in is not written anywhere.
  void machines() {
    Step step{StepKind::kTerminate, Effect::kRemove, "machines", {}, names_.cluster};
    for (const auto& machine : world_.machines) {
      if (machine.state == MachineState::kShuttingDown) continue;
      const auto name = machine.tags.find("Name");
      step.instances.push_back(machine.id);
      step.details.push_back("- " + machine.id +
                             (name == machine.tags.end() ? "" : " (" + name->second + ")"));
    }
    if (!step.instances.empty()) plan_.steps.push_back(std::move(step));
  }

  void balancer() {
    if (!world_.balancer) return;
    if (world_.balancer->ours)
      add(StepKind::kDeleteBalancer, "load balancer", names_.balancer);
    else
      plan_.notes.push_back("load balancer " + names_.balancer + " is not the cluster's and stays");
  }

  void templates() {
    for (const auto& [name, state] : world_.templates)
      add(StepKind::kDeleteTemplate, "launch template", name);
  }

  // Groups that name one another cannot be deleted before their rules are.
  void security_groups() {
    for (const auto& [name, group] : world_.security_groups) {
      if (group.ingress.empty()) continue;
      Step& step = add(StepKind::kRevoke, "rules of security group", name);
      step.rules = group.ingress;
    }
    for (const auto& [name, group] : world_.security_groups)
      add(StepKind::kDeleteSecurityGroup, "security group", name);
  }

  void role(const std::string& name, const RoleState& state) {
    if (state.foreign) {
      plan_.notes.push_back("role " + name + " is not the cluster's and stays");
      return;
    }
    if (state.joined)
      add(StepKind::kLeaveProfile, "membership of the role in instance profile", name);
    if (state.profile) add(StepKind::kDeleteProfile, "instance profile", name);
    if (state.policy) add(StepKind::kDeleteRolePolicy, "policy of role", name);
    if (state.role) add(StepKind::kDeleteRole, "role", name);
  }

  void repositories() {
    for (const auto& [name, state] : world_.repositories) {
      if (!state.ours) continue;
      Step& step = add(StepKind::kDeleteRepository, "repository", name);
      step.details.push_back("  kept if it holds images");
    }
  }

  const Names& names_;
  const World& world_;
  Plan plan_;
};

}  // namespace

Plan plan_down(const Names& names, const World& world) { return DownPlanner(names, world).plan(); }

}  // namespace hive::cloud::aws
