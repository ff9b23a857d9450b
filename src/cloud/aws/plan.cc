#include "cloud/aws/plan.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "base/text.h"
#include "cloud/aws/plan_lines.h"
#include "cloud/aws/plan_v2.h"

namespace hive::cloud::aws {
namespace {

std::string port_text(const IngressRule& rule) {
  if (rule.protocol == "-1") return "all";
  if (rule.protocol == "50") return "esp";
  if (rule.from_port < 0) return rule.protocol;
  std::string out = rule.protocol + " " + std::to_string(rule.from_port);
  if (rule.to_port != rule.from_port) out += "-" + std::to_string(rule.to_port);
  return out;
}

std::string rule_text(const IngressRule& rule) {
  return port_text(rule) + " from " + (rule.group.empty() ? rule.cidr : rule.group);
}

std::string listener_text(const BalancerListener& one) {
  return one.protocol + " " + std::to_string(one.port) + " -> " + one.instance_protocol + " " +
         std::to_string(one.instance_port) +
         (one.certificate.empty() ? "" : " with " + one.certificate);
}

class UpPlanner {
 public:
  UpPlanner(const Desired& desired, const World& world) : desired_(desired), world_(world) {}

  Plan plan() {
    if (!desired_.brings_hive)
      plan_.refusals.push_back("machines from image " + desired_.place.image.name +
                               " would have no hive: set x-hive.aws.package to its Debian package, "
                               "or x-hive.aws.image to an image with hive in it");
    repositories();
    for (const auto& [name, policy] : desired_.roles) role(name, policy);
    for (const auto& [name, rules] : desired_.security_groups) security_group(name);
    for (const auto& [name, rules] : desired_.security_groups) security_rules(name, rules);
    managers();
    balancer();
    launch_template(desired_.names.manager_template, desired_.manager);
    launch_template(desired_.names.worker_template, desired_.worker);
    workers();
    return std::move(plan_);
  }

 private:
  Step& add(StepKind kind, Effect effect, const std::string& what, const std::string& name,
            std::vector<std::string> details = {}) {
    return plan_.steps.emplace_back(
        Step{kind, effect, what + " " + name, std::move(details), name});
  }

  void repositories();
  void role(const std::string& name, const Json& policy);
  void security_group(const std::string& name);
  void security_rules(const std::string& name, const std::vector<IngressRule>& wanted);
  void managers();
  void manager_drift(const Machine& machine);
  bool another_type();
  void balancer();
  void new_balancer();
  void listeners(const Balancer& there);
  void registered();
  void balancer_drift(const Balancer& there);
  void launch_template(const std::string& name, LaunchSpec spec);
  void workers();
  void group_drift(const GroupState& there);
  void warm_pool();
  std::string group_name(const std::string& id) const;

  const Desired& desired_;
  const World& world_;
  Plan plan_;
};

void UpPlanner::repositories() {
  for (const auto& name : desired_.repositories) {
    const auto there = world_.repositories.find(name);
    if (there == world_.repositories.end()) {
      add(StepKind::kCreateRepository, Effect::kMake, "repository", name);
      add(StepKind::kPutLifecyclePolicy, Effect::kMake, "lifecycle policy of repository", name);
    } else if (!there->second.ours) {
      plan_.notes.push_back("repository " + name +
                            " is there without the cluster's tag: it is used and left as it is");
    } else if (there->second.lifecycle_policy != desired_.lifecycle_policy) {
      add(StepKind::kPutLifecyclePolicy,
          there->second.lifecycle_policy ? Effect::kChange : Effect::kMake,
          "lifecycle policy of repository", name);
    }
  }
}

void UpPlanner::role(const std::string& name, const Json& policy) {
  const auto found = world_.roles.find(name);
  const RoleState there = found == world_.roles.end() ? RoleState{} : found->second;
  if (there.foreign) {
    plan_.refusals.push_back("a role " + name + " is there without the cluster's tag");
    return;
  }
  if (!there.role) add(StepKind::kCreateRole, Effect::kMake, "role", name);
  if (!there.policy) {
    add(StepKind::kPutRolePolicy, Effect::kMake, "policy of role", name);
  } else if (*there.policy != policy) {
    add(StepKind::kPutRolePolicy, Effect::kChange, "policy of role", name,
        {"~ it is not what this version of hive needs"});
  }
  if (!there.profile) add(StepKind::kCreateProfile, Effect::kMake, "instance profile", name);
  if (!there.joined)
    add(StepKind::kJoinProfile, Effect::kMake, "membership of the role in instance profile", name);
}

void UpPlanner::security_group(const std::string& name) {
  if (world_.security_groups.count(name) == 0)
    add(StepKind::kCreateSecurityGroup, Effect::kMake, "security group", name);
}

std::string UpPlanner::group_name(const std::string& id) const {
  for (const auto& [name, group] : world_.security_groups)
    if (group.id == id) return name;
  return id;
}

void UpPlanner::security_rules(const std::string& name, const std::vector<IngressRule>& wanted) {
  const auto there = world_.security_groups.find(name);
  std::set<IngressRule> have;
  if (there != world_.security_groups.end()) {
    for (IngressRule rule : there->second.ingress) {
      if (!rule.group.empty()) rule.group = group_name(rule.group);
      have.insert(std::move(rule));
    }
  }
  const std::set<IngressRule> want(wanted.begin(), wanted.end());
  std::vector<IngressRule> missing;
  std::vector<IngressRule> surplus;
  std::set_difference(want.begin(), want.end(), have.begin(), have.end(),
                      std::back_inserter(missing));
  std::set_difference(have.begin(), have.end(), want.begin(), want.end(),
                      std::back_inserter(surplus));
  const auto step = [&](StepKind kind, Effect effect, const char* sign,
                        std::vector<IngressRule> rules) {
    if (rules.empty()) return;
    Step& one = add(kind, effect, "rules of security group", name);
    for (const auto& rule : rules) one.details.push_back(sign + rule_text(rule));
    one.rules = std::move(rules);
  };
  const bool fresh = have.empty();
  step(StepKind::kAuthorize, fresh ? Effect::kMake : Effect::kChange, "+ ", std::move(missing));
  step(StepKind::kRevoke, Effect::kChange, "- ", std::move(surplus));
}

void UpPlanner::manager_drift(const Machine& machine) {
  const auto name = machine.tags.find("Name");
  const std::string who = "manager " + (name == machine.tags.end() ? machine.id : name->second);
  if (machine.type != desired_.manager.type)
    plan_.notes.push_back(who + " is of type " + machine.type + ", the file says " +
                          desired_.manager.type + ": it is not replaced by itself");
  if (machine.image != desired_.manager.image)
    plan_.notes.push_back(who + " was made from " + machine.image + ", new ones are from " +
                          desired_.manager.image + ": it is not replaced by itself");
}

void UpPlanner::managers() {
  std::set<std::string> there;
  for (const auto& machine : world_.machines) {
    const auto name = machine.tags.find("Name");
    if (!is_manager(machine) || is_ending(machine)) continue;
    if (name != machine.tags.end() && !there.insert(name->second).second)
      plan_.notes.push_back("manager " + name->second + " is there twice: terminate " + machine.id +
                            ", or the other one, whichever is no node of the Swarm");
    manager_drift(machine);
    if (machine.state == MachineState::kStopped || machine.state == MachineState::kStopping)
      plan_.notes.push_back("a manager, " + machine.id + ", is stopped: start or terminate it");
  }
  for (std::uint32_t number = 1; number <= desired_.managers; ++number) {
    const std::string name = desired_.names.manager(number);
    if (there.erase(name) > 0) continue;
    const auto& subnets = desired_.place.subnets;
    const auto& subnet = subnets[(number - 1) % subnets.size()];
    Step& step = add(StepKind::kLaunchManager, Effect::kMake, "manager", name,
                     {"+ " + desired_.manager.type + " in " + subnet.zone + " from " +
                      desired_.place.image.id + " (" + desired_.place.image.name + ")"});
    step.number = number;
  }
  for (const auto& name : there)
    plan_.notes.push_back("manager " + name +
                          " is one more than the file asks for: take it away with hive node rm");
}

void UpPlanner::new_balancer() {
  Step& step =
      add(StepKind::kCreateBalancer, Effect::kMake, "load balancer", desired_.names.balancer);
  for (const auto& listener : desired_.balancer.listeners)
    step.details.push_back("+ listener " + listener_text(listener));
  add(StepKind::kConfigureHealth, Effect::kMake, "health check of load balancer",
      desired_.names.balancer, {"+ " + desired_.balancer.health.target});
  add(StepKind::kModifyBalancer, Effect::kMake, "attributes of load balancer",
      desired_.names.balancer,
      {"+ connection draining " + std::to_string(desired_.attributes.draining_timeout_s) + " s",
       "+ cross-zone balancing"});
}

void UpPlanner::listeners(const Balancer& there) {
  std::vector<BalancerListener> missing;
  std::vector<BalancerListener> surplus;
  const auto& want = desired_.balancer.listeners;
  std::set_difference(want.begin(), want.end(), there.listeners.begin(), there.listeners.end(),
                      std::back_inserter(missing));
  std::set_difference(there.listeners.begin(), there.listeners.end(), want.begin(), want.end(),
                      std::back_inserter(surplus));
  // A listener is changed by taking it away and making it anew.
  const auto step = [&](StepKind kind, const char* sign, std::vector<BalancerListener> which) {
    if (which.empty()) return;
    Step& one = add(kind, Effect::kChange, "listeners of load balancer", desired_.names.balancer);
    for (const auto& listener : which) one.details.push_back(sign + listener_text(listener));
    one.listeners = std::move(which);
  };
  step(StepKind::kDeleteListeners, "- ", std::move(surplus));
  step(StepKind::kCreateListeners, "+ ", std::move(missing));
}

void UpPlanner::balancer_drift(const Balancer& there) {
  if (there.internal != desired_.balancer.internal)
    plan_.notes.push_back("load balancer " + there.name +
                          (there.internal ? " is internal" : " faces the internet") +
                          ": that cannot be changed; take it down and up again");
  if (there.subnets != desired_.balancer.subnets)
    plan_.notes.push_back("load balancer " + there.name + " is in subnets " +
                          listed(there.subnets) + ", the file says " +
                          listed(desired_.balancer.subnets) + ": it is not moved by itself");
}

// Those that this plan launches too: their ids are known when it is carried out.
void UpPlanner::registered() {
  std::vector<std::string> details;
  for (const auto& machine : world_.machines) {
    if (!is_manager(machine) || is_ending(machine)) continue;
    if (!world_.balancer || world_.balancer->balancer.instances.count(machine.id) == 0)
      details.push_back("+ " + machine.id);
  }
  for (const auto& step : plan_.steps)
    if (step.kind == StepKind::kLaunchManager) details.push_back("+ " + step.name);
  if (details.empty()) return;
  add(StepKind::kRegisterManagers, world_.balancer ? Effect::kChange : Effect::kMake,
      "managers behind load balancer", desired_.names.balancer, std::move(details));
}

// Another type is another balancer with another address: what clients are told leads to the one
// that is there.
bool UpPlanner::another_type() {
  std::optional<BalancerType> there;
  if (world_.balancer) there = BalancerType::kClassic;
  if (world_.v2_balancer) there = world_.v2_balancer->balancer.type;
  if (!there || *there == desired_.balancer_type) return false;
  const std::string& name = desired_.names.balancer;
  plan_.refusals.push_back(
      "load balancer " + name + " is " + in_words(*there) + ", and the file asks for " +
      in_words(desired_.balancer_type) +
      ". That would be another balancer with another address, so it is not replaced: put "
      "x-hive.load_balancer.type: " +
      std::string(to_string(*there)) +
      " back; or bring a cluster of another x-hive.name up with the new type, lead clients to its "
      "address, and take this one down; or, where an outage is no matter, hive down and hive up");
  return true;
}

void UpPlanner::balancer() {
  if (another_type()) return;
  if (desired_.balancer_type != BalancerType::kClassic)
    return plan_v2_balancer(desired_, world_, plan_);
  plan_v2_leftovers(desired_, world_, plan_);
  if (!world_.balancer) {
    new_balancer();
    return registered();
  }
  const BalancerState& there = *world_.balancer;
  const std::string& name = desired_.names.balancer;
  if (!there.ours) {
    plan_.refusals.push_back("a load balancer " + name +
                             " is there without the cluster's tag: rename the cluster or the "
                             "balancer");
    return;
  }
  balancer_drift(there.balancer);
  if (there.balancer.health != desired_.balancer.health)
    add(StepKind::kConfigureHealth, Effect::kChange, "health check of load balancer", name,
        {changed("target", there.balancer.health.target, desired_.balancer.health.target)});
  if (there.attributes != desired_.attributes)
    add(StepKind::kModifyBalancer, Effect::kChange, "attributes of load balancer", name,
        {changed("connection draining",
                 there.attributes.draining
                     ? std::to_string(there.attributes.draining_timeout_s) + " s"
                     : "off",
                 std::to_string(desired_.attributes.draining_timeout_s) + " s")});
  listeners(there.balancer);
  registered();
}

void UpPlanner::launch_template(const std::string& name, LaunchSpec spec) {
  bool known = true;  // the security groups' ids
  for (auto& group : spec.security_groups) {
    const auto there = world_.security_groups.find(group);
    known = known && there != world_.security_groups.end();
    if (there != world_.security_groups.end()) group = there->second.id;
  }
  const std::string note = template_note(spec);
  const auto have = world_.templates.find(name);
  if (have == world_.templates.end()) {
    add(StepKind::kCreateTemplate, Effect::kMake, "launch template", name, {"+ " + note});
  } else if (!known || have->second.note != note) {
    add(StepKind::kUpdateTemplate, Effect::kChange, "launch template", name,
        {"- " + have->second.note, "+ " + note, "  machines that run are left as they are"});
  }
}

void UpPlanner::group_drift(const GroupState& there) {
  const GroupSpec& have = there.group.spec;
  const GroupSpec& want = desired_.workers;
  std::vector<std::string> details;
  const auto differ = [&](const char* what, const std::string& from, const std::string& to) {
    if (from != to) details.push_back(changed(what, from, to));
  };
  differ("min", std::to_string(have.min), std::to_string(want.min));
  differ("max", std::to_string(have.max), std::to_string(want.max));
  const auto known = world_.templates.find(want.launch_template);
  const bool same_template =
      known != world_.templates.end() && have.launch_template == known->second.launch_template.id;
  differ("launch template", same_template ? want.launch_template : have.launch_template,
         want.launch_template);
  differ("instance types", join(have.types, ","), join(want.types, ","));
  differ("Spot", std::to_string(have.spot_percent) + "%", std::to_string(want.spot_percent) + "%");
  differ("subnets", listed(have.subnets), listed(want.subnets));
  differ("scale-in protection of new instances", have.protected_from_scale_in ? "on" : "off",
         want.protected_from_scale_in ? "on" : "off");
  const std::string& name = desired_.names.worker_group;
  if (!details.empty())
    add(StepKind::kUpdateGroup, Effect::kChange, "worker group", name, std::move(details));
  if (have.balancers != want.balancers)
    plan_.notes.push_back("worker group " + name + " is attached to load balancers " +
                          listed(have.balancers) + " instead of " + listed(want.balancers) +
                          ": it is not attached anew by itself");
}

void UpPlanner::workers() {
  const std::string& name = desired_.names.worker_group;
  const bool make = !world_.workers;
  if (world_.workers && !world_.workers->group.status.empty()) {
    plan_.notes.push_back("worker group " + name + " is being deleted: run this again later");
    return;
  }
  if (make) {
    add(StepKind::kCreateGroup, Effect::kMake, "worker group", name,
        {"+ " + std::to_string(desired_.workers.min) + " to " +
             std::to_string(desired_.workers.max) + " of " + join(desired_.workers.types, ", "),
         "+ lifecycle hooks at launch and at the end"});
  } else {
    group_drift(*world_.workers);
  }
  if (make || world_.workers->group.suspended.count("AZRebalance") == 0)
    add(StepKind::kSuspend, make ? Effect::kMake : Effect::kChange,
        "suspension of AZRebalance in worker group", name);
  for (const auto& hook : desired_.hooks) {
    if (make) break;  // made with the group
    const auto& hooks = world_.workers->hooks;
    const auto same = std::find(hooks.begin(), hooks.end(), hook);
    if (same == hooks.end()) add(StepKind::kPutHook, Effect::kChange, "lifecycle hook", hook.name);
  }
  warm_pool();
}

// After the hooks: an instance that enters it is held by the one at launch until it is prepared.
void UpPlanner::warm_pool() {
  const std::string& name = desired_.names.worker_group;
  const auto have = world_.workers ? world_.workers->group.warm_pool : std::nullopt;
  const auto& want = desired_.warm_pool;
  if (have && have->going) {
    if (want)
      plan_.notes.push_back("the warm pool of worker group " + name +
                            " is being deleted: run this again later");
    return;
  }
  if (have == want) return;
  if (!want) {
    add(StepKind::kDeleteWarmPool, Effect::kRemove, "warm pool of worker group", name,
        {"- with its instances"});
  } else if (!have) {
    add(StepKind::kPutWarmPool, Effect::kMake, "warm pool of worker group", name,
        {"+ " + std::to_string(want->size) + " more, " + want->state});
  } else {
    std::vector<std::string> details;
    const auto differ = [&](const char* what, const std::string& from, const std::string& to) {
      if (from != to) details.push_back(changed(what, from, to));
    };
    differ("size", std::to_string(have->size), std::to_string(want->size));
    differ("prepared at most", std::to_string(have->prepared), std::to_string(want->prepared));
    differ("state", have->state, want->state);
    differ("reuse of what the group ends", have->reuses ? "on" : "off",
           want->reuses ? "on" : "off");
    add(StepKind::kPutWarmPool, Effect::kChange, "warm pool of worker group", name,
        std::move(details));
  }
}

}  // namespace

Plan plan_up(const Desired& desired, const World& world) {
  if (desired.place.subnets.empty())
    return {.refusals = {"there is no subnet to put machines into"}};
  return UpPlanner(desired, world).plan();
}

std::string render(const Plan& plan) {
  std::ostringstream out;
  for (const auto& step : plan.steps) {
    out << (step.effect == Effect::kMake     ? "+ "
            : step.effect == Effect::kRemove ? "- "
                                             : "~ ")
        << step.subject << "\n";
    for (const auto& line : step.details) out << "    " << line << "\n";
  }
  for (const auto& line : plan.notes) out << "  note: " << line << "\n";
  for (const auto& line : plan.refusals) out << "  cannot go on: " << line << "\n";
  return out.str();
}

}  // namespace hive::cloud::aws
