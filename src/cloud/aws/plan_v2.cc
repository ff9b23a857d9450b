#include "cloud/aws/plan_v2.h"

#include <algorithm>

#include "base/text.h"
#include "cloud/aws/plan_lines.h"

namespace hive::cloud::aws {
namespace {

// "hive-shop-http-8080" of "arn:aws:elasticloadbalancing:...:targetgroup/hive-shop-http-8080/0a1b".
std::string name_in(const std::string& arn) {
  const auto parts = split(arn, '/');
  return parts.size() == 3 ? parts[1] : "";
}

// AWS registers no instance that is stopped; those that start are waited for.
bool may_be_registered(const Machine& machine) { return is_manager(machine) && is_up(machine); }

class V2Planner {
 public:
  V2Planner(const Desired& desired, const World& world, Plan& plan)
      : desired_(desired), want_(desired.v2), world_(world), plan_(plan) {}

  void plan() {
    if (refused()) return;
    for (const auto& [name, group] : want_.target_groups) target_group(group);
    attach();
    register_managers();
    balancer();
    listeners();
    leftovers();
  }
  void leftovers() {
    detach();
    surplus();
  }

 private:
  Step& add(StepKind kind, Effect effect, const std::string& what, const std::string& name,
            std::vector<std::string> details = {}) {
    return plan_.steps.emplace_back(
        Step{kind, effect, what + " " + name, std::move(details), name});
  }
  Step& at_balancer(StepKind kind, Effect effect, const std::string& what,
                    std::vector<std::string> details = {}) {
    return add(kind, effect, what, desired_.names.balancer, std::move(details));
  }
  const TargetGroupState* there(const std::string& name) const {
    const auto found = world_.target_groups.find(name);
    return found == world_.target_groups.end() ? nullptr : &found->second;
  }
  bool serving_group() const { return world_.workers && world_.workers->group.status.empty(); }

  bool refused();
  void target_group(const TargetGroup& want);
  void attributes(const std::string& what, const std::string& name, StepKind kind,
                  const V2Attributes& want, const V2Attributes* have);
  void attach();
  void register_managers();
  void balancer();
  void balancer_drift(const V2Balancer& have);
  void listeners();
  std::string listener_text(const V2Listener& one) const;
  void detach();
  void surplus();

  const Desired& desired_;
  const DesiredV2& want_;
  const World& world_;
  Plan& plan_;
};

bool V2Planner::refused() {
  const auto before = plan_.refusals.size();
  const std::string& name = desired_.names.balancer;
  if (world_.v2_balancer && !world_.v2_balancer->ours)
    plan_.refusals.push_back("a load balancer " + name +
                             " is there without the cluster's tag: rename the cluster or the "
                             "balancer");
  for (const auto& [group, want] : want_.target_groups) {
    const auto* have = there(group);
    if (have == nullptr) continue;
    if (!have->ours)
      plan_.refusals.push_back("a target group " + group +
                               " is there without the cluster's tag: rename one of them");
    else if (have->group.vpc != want.vpc)
      plan_.refusals.push_back("target group " + group + " is in " + have->group.vpc +
                               " and the file says " + want.vpc +
                               ": a cluster is not moved to another VPC");
  }
  if (desired_.balancer_type == BalancerType::kApplication && want_.balancer.subnets.size() < 2)
    plan_.refusals.push_back(
        "an Application Load Balancer needs subnets in two zones at least: name them in "
        "x-hive.aws.subnets, or choose x-hive.load_balancer.type: network");
  return plan_.refusals.size() > before;
}

void V2Planner::attributes(const std::string& what, const std::string& name, StepKind kind,
                           const V2Attributes& want, const V2Attributes* have) {
  std::vector<std::string> details;
  for (const auto& [key, value] : want) {
    if (have == nullptr) {
      details.push_back("+ " + key + " " + value);
      continue;
    }
    const auto found = have->find(key);
    const std::string from = found == have->end() ? "none" : found->second;
    if (from != value) details.push_back(changed(key, from, value));
  }
  if (!details.empty())
    add(kind, have == nullptr ? Effect::kMake : Effect::kChange, what, name, std::move(details));
}

void V2Planner::target_group(const TargetGroup& want) {
  const auto* have = there(want.name);
  const auto check = [](const TargetCheck& one) {
    return one.protocol + ":" + one.port + one.path + " every " + std::to_string(one.interval_s) +
           " s";
  };
  if (have == nullptr)
    add(StepKind::kCreateTargetGroup, Effect::kMake, "target group", want.name,
        {"+ " + want.protocol + " " + std::to_string(want.port), "+ " + check(want.check)});
  else if (have->group.check != want.check)
    add(StepKind::kModifyTargetGroup, Effect::kChange, "health check of target group", want.name,
        {"~ " + check(have->group.check) + " -> " + check(want.check)});
  attributes("attributes of target group", want.name, StepKind::kModifyTargetAttributes,
             want_.target_attributes, have == nullptr ? nullptr : &have->attributes);
}

// Of a worker group that is there; a new one is made with them.
void V2Planner::attach() {
  if (!serving_group()) return;
  const auto& attached = world_.workers->group.spec.target_groups;
  std::vector<std::string> missing;
  for (const auto& [name, group] : want_.target_groups)
    if (const auto* have = there(name); have == nullptr || attached.count(have->group.arn) == 0)
      missing.push_back(name);
  if (missing.empty()) return;
  Step& step = add(StepKind::kAttachTargetGroups, Effect::kChange, "target groups of worker group",
                   desired_.names.worker_group);
  for (const auto& name : missing) step.details.push_back("+ " + name);
  step.target_groups = std::move(missing);
}

// Those that this plan launches too: their ids are known when it is carried out.
void V2Planner::register_managers() {
  std::vector<std::string> details;
  for (const auto& [name, group] : want_.target_groups) {
    const auto* have = there(name);
    for (const auto& machine : world_.machines)
      if (may_be_registered(machine) &&
          (have == nullptr || have->registered.count(machine.id) == 0))
        details.push_back("+ " + machine.id + " in " + name);
  }
  for (const auto& step : plan_.steps)
    if (step.kind == StepKind::kLaunchManager) details.push_back("+ " + step.name);
  if (!details.empty())
    at_balancer(StepKind::kRegisterTargets, world_.v2_balancer ? Effect::kChange : Effect::kMake,
                "managers behind load balancer", std::move(details));
}

void V2Planner::balancer_drift(const V2Balancer& have) {
  const auto note = [&](const std::string& what) {
    plan_.notes.push_back("load balancer " + have.name + what);
  };
  if (have.internal != want_.balancer.internal)
    note(std::string(have.internal ? " is internal" : " faces the internet") +
         ": that cannot be changed; take it down and up again");
  if (have.subnets != want_.balancer.subnets)
    note(" is in subnets " + listed(have.subnets) + ", the file says " +
         listed(want_.balancer.subnets) + ": it is not moved by itself");
  const auto group = world_.security_groups.find(desired_.names.balancer_group);
  if (group == world_.security_groups.end() || have.security_groups.count(group->second.id) == 0)
    note(" is not in security group " + desired_.names.balancer_group +
         ", from which the nodes take requests: take it down and up again");
}

void V2Planner::balancer() {
  const bool is_there = world_.v2_balancer.has_value();
  if (is_there)
    balancer_drift(world_.v2_balancer->balancer);
  else
    at_balancer(StepKind::kCreateV2Balancer, Effect::kMake, "load balancer",
                {"+ " + in_words(desired_.balancer_type)});
  attributes("attributes of load balancer", desired_.names.balancer, StepKind::kModifyV2Balancer,
             want_.attributes, is_there ? &world_.v2_balancer->attributes : nullptr);
}

std::string V2Planner::listener_text(const V2Listener& one) const {
  std::string group = one.target_group;
  if (const auto name = name_in(group); !name.empty()) group = name;
  if (group.empty()) group = "nowhere";
  return one.protocol + " " + std::to_string(one.port) + " -> " + group +
         (one.certificate.empty() ? "" : " with " + one.certificate);
}

void V2Planner::listeners() {
  std::map<std::uint16_t, const V2Listener*> have;
  if (world_.v2_balancer)
    for (const auto& one : world_.v2_balancer->listeners) have[one.port] = &one;
  for (const auto& want : want_.listeners) {
    const auto found = have.find(want.port);
    if (found == have.end()) {
      at_balancer(StepKind::kCreateV2Listener, Effect::kMake, "listener of load balancer",
                  {"+ " + listener_text(want)})
          .number = want.port;
      continue;
    }
    const V2Listener& now = *found->second;
    have.erase(found);
    const auto* group = there(want.target_group);
    if (now.protocol == want.protocol && now.certificate == want.certificate && group != nullptr &&
        now.target_group == group->group.arn)
      continue;
    at_balancer(StepKind::kModifyV2Listener, Effect::kChange, "listener of load balancer",
                {"- " + listener_text(now), "+ " + listener_text(want)})
        .number = want.port;
  }
  for (const auto& [port, one] : have)
    at_balancer(StepKind::kDeleteV2Listener, Effect::kRemove, "listener of load balancer",
                {"- " + listener_text(*one)})
        .number = port;
}

// Target groups of somebody else's that somebody attached stay. One of the cluster's name that is
// gone would keep the group from launching.
void V2Planner::detach() {
  if (!serving_group()) return;
  std::vector<std::string> arns;
  for (const auto& arn : world_.workers->group.spec.target_groups) {
    const std::string name = name_in(arn);
    if (!desired_.names.is_target_group(name)) continue;
    const auto* have = there(name);
    const bool current = have != nullptr && have->group.arn == arn;
    if (current && (!have->ours || want_.target_groups.count(name) > 0)) continue;
    arns.push_back(arn);
  }
  if (arns.empty()) return;
  Step& step = add(StepKind::kDetachTargetGroups, Effect::kChange, "target groups of worker group",
                   desired_.names.worker_group);
  for (const auto& arn : arns) step.details.push_back("- " + name_in(arn));
  step.target_groups = std::move(arns);
}

void V2Planner::surplus() {
  for (const auto& [name, state] : world_.target_groups)
    if (state.ours && want_.target_groups.count(name) == 0)
      add(StepKind::kDeleteTargetGroup, Effect::kRemove, "target group", name);
}

}  // namespace

void plan_v2_balancer(const Desired& desired, const World& world, Plan& plan) {
  V2Planner(desired, world, plan).plan();
}

void plan_v2_leftovers(const Desired& desired, const World& world, Plan& plan) {
  V2Planner(desired, world, plan).leftovers();
}

void plan_v2_down(const Names& names, const World& world, Plan& plan) {
  const auto add = [&](StepKind kind, const std::string& what, const std::string& name) {
    plan.steps.push_back(Step{kind, Effect::kRemove, what + " " + name, {}, name});
  };
  if (world.v2_balancer && world.v2_balancer->ours)
    add(StepKind::kDeleteV2Balancer, "load balancer", names.balancer);
  else if (world.v2_balancer)
    plan.notes.push_back("load balancer " + names.balancer + " is not the cluster's and stays");
  for (const auto& [name, state] : world.target_groups)
    if (state.ours) add(StepKind::kDeleteTargetGroup, "target group", name);
}

}  // namespace hive::cloud::aws
