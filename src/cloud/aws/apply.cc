#include "cloud/aws/apply.h"

#include <algorithm>

#include "cloud/aws/apply_step.h"
#include "cloud/aws/ecr.h"
#include "cloud/aws/iam.h"

namespace hive::cloud::aws {
namespace {

constexpr Milliseconds kPatience{300'000};
constexpr Milliseconds kBetween{3'000};
// EC2 remembers a token for as long as the machine that it made, and longer.
constexpr int kMostLaunches = 50;

// What passes by itself: eventual consistency, and things that are still on their way out.
bool passes(const Step& step, const Error& error) {
  if (error.code == Errc::kFailedPrecondition) return step.kind != StepKind::kDeleteRepository;
  if (step.effect == Effect::kRemove) return false;
  if (error.code == Errc::kNotFound) return true;
  // A new instance profile is not known to EC2 at once; it says so as of a wrong parameter.
  return error.code == Errc::kInvalidArgument &&
         error.message.find("nstance") != std::string::npos &&
         error.message.find("rofile") != std::string::npos;
}

bool is_done(const Step& step, const Error& error) {
  const bool takes = step.effect == Effect::kRemove || step.kind == StepKind::kRevoke ||
                     step.kind == StepKind::kDeleteListeners ||
                     step.kind == StepKind::kDetachTargetGroups;
  if (takes) return error.code == Errc::kNotFound;
  return error.code == Errc::kAlreadyExists;
}

}  // namespace

Result<std::string> plain(Status status) {
  if (!status) return tl::unexpected(std::move(status).error());
  return std::string();
}

Status Applier::apply(const Plan& plan, const Desired& desired) {
  if (!plan.refusals.empty()) return fail(Errc::kFailedPrecondition, plan.refusals.front());
  return run(plan, [&](const Step& step) { return make(step, desired); });
}

Status Applier::remove(const Plan& plan) {
  return run(plan, [&](const Step& step) { return take_away(step); });
}

Status Applier::run(const Plan& plan, const Do& one) {
  for (const auto& step : plan.steps) {
    auto done = patiently(step, one);
    if (!done) return annotate(std::move(done).error(), step.subject);
    did_(step, *done);
  }
  return {};
}

Result<std::string> Applier::patiently(const Step& step, const Do& one) {
  const auto begin = client_.clock().now();
  for (;;) {
    auto done = one(step);
    if (done) return done;
    if (is_done(step, done.error())) return std::string();
    if (step.kind == StepKind::kDeleteRepository && done.error().code == Errc::kFailedPrecondition)
      return std::string("kept: it holds images");
    if (!passes(step, done.error()) || client_.clock().now() - begin > kPatience) return done;
    if (!client_.pause(kBetween)) return fail(Errc::kCancelled, "interrupted");
  }
}

// --- names to ids

Result<std::string> Applier::group_id(const std::string& name) {
  if (name.starts_with("sg-")) return name;
  const auto known = world_.security_groups.find(name);
  if (known != world_.security_groups.end()) return known->second.id;
  // Made by somebody else since, or not seen before.
  HIVE_ASSIGN(const auto groups, describe_security_groups(client_, names_.cluster));
  for (const auto& group : groups) world_.security_groups[group.name] = group;
  const auto found = world_.security_groups.find(name);
  if (found != world_.security_groups.end()) return found->second.id;
  return fail(Errc::kNotFound, "there is no security group " + name + " of the cluster's");
}

Result<std::vector<IngressRule>> Applier::with_ids(std::vector<IngressRule> rules) {
  for (auto& rule : rules) {
    if (rule.group.empty()) continue;
    HIVE_ASSIGN(rule.group, group_id(rule.group));
  }
  return rules;
}

Result<LaunchSpec> Applier::with_ids(LaunchSpec spec) {
  for (auto& group : spec.security_groups) {
    HIVE_ASSIGN(group, group_id(group));
  }
  return spec;
}

Result<GroupSpec> Applier::with_ids(GroupSpec spec) {
  const std::string& name = spec.launch_template;
  if (world_.templates.count(name) == 0) {
    HIVE_ASSIGN(const auto templates, describe_launch_templates(client_, names_.cluster));
    for (const auto& one : templates)
      if (one.name == name) world_.templates[name] = {one, ""};
  }
  const auto there = world_.templates.find(name);
  if (there == world_.templates.end())
    return fail(Errc::kNotFound, "there is no launch template " + name);
  spec.launch_template = there->second.launch_template.id;
  std::set<std::string> arns;
  for (const auto& group : spec.target_groups) {
    HIVE_ASSIGN(auto arn, target_group_arn(group));
    arns.insert(std::move(arn));
  }
  spec.target_groups = std::move(arns);
  return spec;
}

// --- making

Result<std::string> Applier::make_role_part(const Step& step, const Desired& desired) {
  const Tags tags = desired.tags(step.name == names_.manager_role ? "manager" : "worker");
  switch (step.kind) {
    case StepKind::kCreateRole:
      return plain(create_role(client_, step.name,
                               "Machines of the Docker Swarm " + names_.cluster + ", by hive",
                               tags));
    case StepKind::kPutRolePolicy:
      return plain(put_role_policy(client_, step.name, desired.roles.at(step.name)));
    case StepKind::kCreateProfile:
      return plain(create_instance_profile(client_, step.name, tags));
    default:
      break;
  }
  auto joined = add_role_to_profile(client_, step.name, step.name);
  // A profile holds one role: LimitExceeded says that it does already.
  if (!joined && joined.error().code == Errc::kResourceExhausted) {
    const auto there = get_instance_profile(client_, step.name);
    if (there && there->role == step.name) return std::string();
  }
  return plain(std::move(joined));
}

Result<std::string> Applier::make_security_group(const Step& step, const Desired& desired) {
  const bool nodes = step.name == names_.node_group;
  const std::string words = (nodes ? "Nodes" : "Load balancer") + std::string(" of the cluster ") +
                            names_.cluster + " by hive";
  Tags tags = desired.tags(nodes ? "nodes" : "balancer");
  HIVE_ASSIGN(const auto id,
              create_security_group(client_, step.name, words, desired.place.vpc, tags));
  world_.security_groups[step.name] = {.id = id, .name = step.name, .vpc = desired.place.vpc};
  return id;
}

// The same token gives the same machine, so that a launch whose answer was lost is not done twice;
// of a machine that has ended since, the token is used up, and the next one taken.
Result<Machine> Applier::launch_in(const std::string& subnet, const LaunchSpec& spec,
                                   const std::string& name) {
  for (int launch = 1; launch <= kMostLaunches; ++launch) {
    const std::string token = "hive-" + name + "-" + subnet + "-" + std::to_string(launch);
    auto made = run_instance(client_, spec, subnet, token);
    if (!made && made.error().code != Errc::kAlreadyExists) return made;
    if (made && made->state != MachineState::kTerminated &&
        made->state != MachineState::kShuttingDown)
      return made;
  }
  return fail(Errc::kInternal, "all tokens for " + name + " are used up");
}

// The id of a manager of that name which the cluster itself launched since the look; empty: none.
Result<std::string> Applier::replaced_meanwhile(const std::string& name) {
  if (!world_.workers) return std::string();  // it does so once it has its group
  HIVE_ASSIGN(const auto machines, describe_instances(client_, names_.cluster));
  for (const auto& machine : machines) {
    const auto tag = machine.tags.find("Name");
    const auto role = machine.tags.find(kRoleTag);
    if (machine.state == MachineState::kShuttingDown || tag == machine.tags.end() ||
        tag->second != name || role == machine.tags.end() || role->second != "manager")
      continue;
    world_.machines.push_back(machine);
    return machine.id;
  }
  return std::string();
}

// A zone without capacity is passed over for the next.
Result<std::string> Applier::launch_manager(const Step& step, const Desired& desired) {
  HIVE_ASSIGN(const auto there, replaced_meanwhile(step.name));
  if (!there.empty()) return there + ", which the cluster launched itself";
  HIVE_ASSIGN(LaunchSpec spec, with_ids(desired.manager));
  spec.tags["Name"] = step.name;
  const auto& subnets = desired.place.subnets;
  Error last;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    const auto& subnet = subnets[(step.number - 1 + i) % subnets.size()];
    auto made = launch_in(subnet.id, spec, step.name);
    if (made) {
      world_.machines.push_back(*made);
      return made->id + (i == 0 ? "" : " in " + subnet.zone + ", the next zone with capacity");
    }
    last = std::move(made).error();
    if (last.code != Errc::kResourceExhausted) break;
  }
  return tl::unexpected(std::move(last));
}

Result<std::string> Applier::make_balancer(const Desired& desired) {
  Balancer spec = desired.balancer;
  spec.security_groups.clear();
  for (const auto& name : desired.balancer.security_groups) {
    HIVE_ASSIGN(auto id, group_id(name));
    spec.security_groups.insert(std::move(id));
  }
  return create_balancer(client_, spec, desired.tags("balancer"));
}

std::vector<std::string> Applier::managers() const {
  std::vector<std::string> ids;
  for (const auto& machine : world_.machines) {
    const auto role = machine.tags.find(kRoleTag);
    if (role != machine.tags.end() && role->second == "manager" &&
        machine.state != MachineState::kShuttingDown)
      ids.push_back(machine.id);
  }
  return ids;
}

Result<std::string> Applier::register_managers() {
  const auto ids = managers();
  if (ids.empty()) return std::string();
  return plain(register_instances(client_, names_.balancer, ids));
}

Result<std::string> Applier::make_template(const Step& step, const Desired& desired) {
  const bool manager = step.name == names_.manager_template;
  HIVE_ASSIGN(const auto spec, with_ids(manager ? desired.manager : desired.worker));
  const std::string note = template_note(spec);
  if (step.kind == StepKind::kCreateTemplate) {
    const Tags tags = desired.tags(manager ? "manager" : "worker");
    HIVE_ASSIGN(const auto id, create_launch_template(client_, step.name, spec, note, tags, ""));
    world_.templates[step.name] = {{.id = id, .name = step.name, .default_version = 1}, note};
    return id;
  }
  TemplateState& there = world_.templates.at(step.name);
  const std::string& id = there.launch_template.id;
  HIVE_ASSIGN(const auto version, create_launch_template_version(client_, id, spec, note, ""));
  HIVE_TRY(set_default_version(client_, id, version));
  there.note = note;
  return "version " + std::to_string(version);
}

Result<std::string> Applier::make_group(const Step& step, const Desired& desired) {
  HIVE_ASSIGN(const auto spec, with_ids(desired.workers));
  if (step.kind == StepKind::kUpdateGroup) return plain(update_group(client_, step.name, spec));
  return plain(create_group(client_, step.name, spec, desired.hooks, desired.tags("worker")));
}

Result<std::string> Applier::make(const Step& step, const Desired& desired) {
  switch (step.kind) {
    case StepKind::kCreateRepository:
      return plain(create_repository(client_, step.name, desired.tags("repository")));
    case StepKind::kPutLifecyclePolicy:
      return plain(put_lifecycle_policy(client_, step.name, desired.lifecycle_policy));
    case StepKind::kCreateRole:
    case StepKind::kPutRolePolicy:
    case StepKind::kCreateProfile:
    case StepKind::kJoinProfile:
      return make_role_part(step, desired);
    case StepKind::kCreateSecurityGroup:
      return make_security_group(step, desired);
    case StepKind::kAuthorize:
    case StepKind::kRevoke: {
      HIVE_ASSIGN(const auto group, group_id(step.name));
      HIVE_ASSIGN(const auto rules, with_ids(step.rules));
      return plain(step.kind == StepKind::kAuthorize ? authorize_ingress(client_, group, rules)
                                                     : revoke_ingress(client_, group, rules));
    }
    case StepKind::kLaunchManager:
      return launch_manager(step, desired);
    case StepKind::kCreateBalancer:
      return make_balancer(desired);
    case StepKind::kConfigureHealth:
      return plain(configure_health_check(client_, step.name, desired.balancer.health));
    case StepKind::kModifyBalancer:
      return plain(modify_balancer(client_, step.name, desired.attributes));
    case StepKind::kDeleteListeners: {
      std::vector<std::uint16_t> ports;
      for (const auto& listener : step.listeners) ports.push_back(listener.port);
      return plain(delete_listeners(client_, step.name, ports));
    }
    case StepKind::kCreateListeners:
      return plain(create_listeners(client_, step.name, step.listeners));
    case StepKind::kRegisterManagers:
      return register_managers();
    case StepKind::kCreateTemplate:
    case StepKind::kUpdateTemplate:
      return make_template(step, desired);
    case StepKind::kCreateGroup:
    case StepKind::kUpdateGroup:
      return make_group(step, desired);
    case StepKind::kSuspend:
      return plain(suspend_processes(client_, step.name, {"AZRebalance"}));
    case StepKind::kPutHook: {
      const auto hook =
          std::find_if(desired.hooks.begin(), desired.hooks.end(),
                       [&](const LifecycleHook& one) { return one.name == step.name; });
      return plain(put_hook(client_, names_.worker_group, *hook));
    }
    case StepKind::kPutWarmPool:
      return plain(put_warm_pool(client_, step.name, *desired.warm_pool));
    case StepKind::kDeleteWarmPool:
      return plain(delete_warm_pool(client_, step.name));
    default:
      return make_v2(step, desired);
  }
}

// --- taking away

Result<std::string> Applier::take_away(const Step& step) {
  switch (step.kind) {
    case StepKind::kDeleteWarmPool:
      return plain(delete_warm_pool(client_, step.name));
    case StepKind::kDeleteGroup:
      return plain(delete_group(client_, step.name));
    case StepKind::kTerminate:
      return plain(terminate_instances(client_, step.instances));
    case StepKind::kDeleteBalancer:
      return plain(delete_balancer(client_, step.name));
    case StepKind::kDeleteV2Balancer:
    case StepKind::kDeleteTargetGroup:
      return take_v2_away(step);
    case StepKind::kDeleteTemplate:
      return plain(
          delete_launch_template(client_, world_.templates.at(step.name).launch_template.id));
    case StepKind::kRevoke: {
      HIVE_ASSIGN(const auto group, group_id(step.name));
      return plain(revoke_ingress(client_, group, step.rules));
    }
    case StepKind::kDeleteSecurityGroup: {
      HIVE_ASSIGN(const auto group, group_id(step.name));
      return plain(delete_security_group(client_, group));
    }
    case StepKind::kLeaveProfile:
      return plain(remove_role_from_profile(client_, step.name, step.name));
    case StepKind::kDeleteProfile:
      return plain(delete_instance_profile(client_, step.name));
    case StepKind::kDeleteRolePolicy:
      return plain(delete_role_policy(client_, step.name));
    case StepKind::kDeleteRole:
      return plain(delete_role(client_, step.name));
    case StepKind::kDeleteRepository:
      return plain(delete_repository(client_, step.name));
    default:
      return fail(Errc::kInternal, "a step that makes, in a plan that takes away");
  }
}

}  // namespace hive::cloud::aws
