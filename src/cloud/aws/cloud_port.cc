#include "cloud/aws/cloud_port.h"

#include <algorithm>
#include <map>
#include <set>

#include "cloud/aws/autoscaling.h"
#include "cloud/aws/balancer_figures.h"
#include "cloud/aws/balancer_port.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/join.h"

namespace hive::cloud::aws {
namespace {

InstanceState state_of(MachineState state) {
  switch (state) {
    case MachineState::kPending:
      return InstanceState::kPending;
    case MachineState::kRunning:
      return InstanceState::kRunning;
    case MachineState::kStopping:
    case MachineState::kStopped:
      return InstanceState::kStopped;
    case MachineState::kShuttingDown:
    case MachineState::kTerminated:
      break;
  }
  return InstanceState::kTerminated;
}

Hold hold_of(const std::string& lifecycle_state) {
  if (lifecycle_state == "Pending:Wait") return Hold::kLaunching;
  if (lifecycle_state == "Terminating:Wait" || lifecycle_state == "Warmed:Terminating:Wait")
    return Hold::kEnding;
  return Hold::kNone;
}

Membership membership_of(const std::string& lifecycle_state) {
  if (lifecycle_state.starts_with("Pending")) return Membership::kComing;
  if (lifecycle_state == "InService") return Membership::kServing;
  if (lifecycle_state.starts_with("Terminat") || lifecycle_state.starts_with("Warmed:Terminat"))
    return Membership::kEnding;
  return Membership::kNone;  // in standby, detached
}

// In the warm pool, or on the way into it: no part of the cluster until the group takes it.
bool is_warm(const std::string& lifecycle_state) {
  return lifecycle_state.starts_with("Warmed:") &&
         membership_of(lifecycle_state) != Membership::kEnding;
}

// Those that its size counts.
int counted(const Group& group) {
  return static_cast<int>(
      std::count_if(group.members.begin(), group.members.end(), [](const GroupMember& one) {
        const auto membership = membership_of(one.lifecycle_state);
        return membership == Membership::kComing || membership == Membership::kServing;
      }));
}

bool is_living_manager(const Machine& machine) {
  return is_manager(machine) && !is_ending(machine);
}

const Machine* manager_named(const std::vector<Machine>& machines, const std::string& name) {
  for (const auto& machine : machines) {
    const auto tag = machine.tags.find("Name");
    if (is_living_manager(machine) && tag != machine.tags.end() && tag->second == name)
      return &machine;
  }
  return nullptr;
}

// Subnets, one of each zone, that with the fewest managers first: where the one was that is gone.
std::vector<std::string> emptiest_first(const std::set<std::string>& subnets,
                                        const std::vector<Machine>& machines) {
  std::map<std::string, int> managers;
  for (const auto& machine : machines)
    if (is_living_manager(machine)) ++managers[machine.subnet];
  std::vector<std::string> out(subnets.begin(), subnets.end());
  std::stable_sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) {
    return managers[a] < managers[b];
  });
  return out;
}

tl::unexpected<Error> operators(const char* what) {
  return fail(Errc::kUnsupported, std::string(what) +
                                      " is not done by a cluster on AWS itself; 'hive up' does it "
                                      "from the Compose file");
}

class Port final : public Cloud {
 public:
  Port(Client& client, const Names& names) : client_(client), names_(names) {}

  Result<Instance> launch(const LaunchRequest& request) override {
    if (request.role != "manager")
      return fail(Errc::kUnsupported,
                  "a worker of a group is not launched by itself: the group's size is raised");
    HIVE_ASSIGN(const auto machines, describe_instances(client_, names_.cluster));
    HIVE_ASSIGN(const auto group, workers());
    if (!group || !group->status.empty())
      return fail(Errc::kFailedPrecondition,
                  "the cluster has no worker group, whose subnets managers go into: 'hive up' "
                  "makes it");
    const auto subnets = emptiest_first(group->spec.subnets, machines);
    if (const auto* there = manager_named(machines, request.hostname); there != nullptr) {
      for (const auto& subnet : subnets)
        if (there->token == token_in(subnet, request)) return instance_of(*there);
      return fail(Errc::kAlreadyExists,
                  "there is a machine " + request.hostname + " already, " + there->id);
    }
    return launch_into(subnets, request);
  }

  Result<std::vector<Instance>> list_instances() override {
    HIVE_ASSIGN(const auto machines, describe_instances(client_, names_.cluster));
    HIVE_ASSIGN(const auto group, workers());
    std::map<std::string, std::string> lifecycle;
    if (group && group->warm_pool) {
      HIVE_ASSIGN(const auto warm, warm_members(client_, group->name));
      for (const auto& member : warm) lifecycle[member.id] = member.lifecycle_state;
    }
    if (group)
      for (const auto& member : group->members) lifecycle[member.id] = member.lifecycle_state;
    std::vector<Instance> out;
    for (const auto& machine : machines) {
      Instance one = instance_of(machine);
      if (one.state == InstanceState::kTerminated) continue;
      if (const auto member = lifecycle.find(machine.id); member != lifecycle.end()) {
        if (is_warm(member->second)) continue;
        one.hold = hold_of(member->second);
        one.membership = membership_of(member->second);
      }
      out.push_back(std::move(one));
    }
    return out;
  }

  Status start(const std::string&) override { return operators("starting an instance"); }
  Status stop(const std::string&) override { return operators("stopping an instance"); }
  Status power_off(const std::string&) override { return operators("a power cut"); }

  Status terminate(const std::string& id) override {
    HIVE_ASSIGN(const auto group, workers());
    if (!group) return terminate_instances(client_, {id});
    const auto member = std::find_if(group->members.begin(), group->members.end(),
                                     [&](const GroupMember& one) { return one.id == id; });
    if (member == group->members.end()) return terminate_instances(client_, {id});
    // Asked once more, the group would shrink once more.
    if (membership_of(member->lifecycle_state) == Membership::kEnding) return {};
    return terminate_in_group(client_, id, group->desired > group->spec.min);
  }

  Status release_hold(const Instance& instance) override {
    // Both results end an instance that is to end; ABANDON would skip other people's hooks.
    auto done =
        complete_lifecycle_action(client_, names_.worker_group, hook(instance), instance.id, true);
    return unless_over(std::move(done));
  }
  Status keep_hold(const Instance& instance) override {
    return unless_over(record_heartbeat(client_, names_.worker_group, hook(instance), instance.id));
  }
  Status give_up_hold(const Instance& instance) override {
    if (instance.hold != Hold::kLaunching)
      return fail(Errc::kFailedPrecondition, instance.hostname + " is not held as a new instance");
    return unless_over(
        complete_lifecycle_action(client_, names_.worker_group, kLaunchHook, instance.id, false));
  }

  Result<WorkerGroup> worker_group() override {
    HIVE_ASSIGN(const auto group, workers());
    if (!group) return WorkerGroup{};
    WorkerGroup out{.min = static_cast<int>(group->spec.min),
                    .max = static_cast<int>(group->spec.max),
                    .desired = static_cast<int>(group->desired)};
    if (counted(*group) < out.desired) {
      const auto activities = describe_activities(client_, group->name);
      // Managers of a cluster that an older version made may not ask until the next `hive up`.
      if (!activities && activities.error().code != Errc::kPermissionDenied)
        return tl::unexpected(activities.error());
      if (activities) out.shortage = shortage_of(*activities, client_.clock().wall_now());
    }
    return out;
  }

  Status raise_workers(int to) override {
    HIVE_ASSIGN(const auto group, workers());
    if (!group) return fail(Errc::kNotFound, "the cluster has no worker group");
    if (static_cast<int>(group->desired) >= to) return {};
    if (to > static_cast<int>(group->spec.max))
      return fail(Errc::kFailedPrecondition, "worker group " + group->name +
                                                 " takes no more than " +
                                                 std::to_string(group->spec.max) + " workers");
    return set_desired(client_, group->name, static_cast<std::uint32_t>(to));
  }

  Status forgo_workers() override {
    HIVE_ASSIGN(const auto group, workers());
    if (!group) return {};
    const int to = std::max(counted(*group), static_cast<int>(group->spec.min));
    if (static_cast<int>(group->desired) <= to) return {};
    return set_desired(client_, group->name, static_cast<std::uint32_t>(to));
  }

  Result<std::string> console_output(const std::string&, std::size_t) override {
    return operators("reading an instance's console");
  }

  // A machine of the group asks the join desk by itself, with proof of what it is.
  Status join(const std::string&, const cloud::SwarmPlace&) override { return {}; }
  Status ensure_balancer(const BalancerSpec&) override { return operators("making a balancer"); }
  Status register_instance(const std::string& id) override {
    return put_behind_balancer(client_, names_, id);
  }
  Status deregister_instance(const std::string& id) override {
    return take_from_balancer(client_, names_, id);
  }

  Result<BalancerStatus> balancer() override { return look_at_balancer(client_, names_); }

  Result<BalancerFigures> balancer_figures(const std::set<BalancerFigure>& which) override {
    return aws::balancer_figures(client_, names_.balancer, which);
  }

 private:
  Instance instance_of(const Machine& machine) const {
    const auto role = machine.tags.find(kRoleTag);
    Instance one{.id = machine.id,
                 .hostname = hostname_of(machine, names_),
                 .role = role == machine.tags.end() ? "" : role->second,
                 .address = machine.address,
                 .state = state_of(machine.state)};
    if (const auto at = parse_time(machine.launched); at)
      one.launched_unix_ms =
          std::chrono::duration_cast<Milliseconds>(at->time_since_epoch()).count();
    return one;
  }

  // The one that a token made is another in each subnet: EC2 takes no other parameters for it.
  static std::string token_in(const std::string& subnet, const LaunchRequest& request) {
    return client_token(request.idempotency_token + "-" + subnet);
  }

  Result<Instance> launch_into(const std::vector<std::string>& subnets,
                               const LaunchRequest& request) {
    const Tags tags{
        {kClusterTag, names_.cluster}, {kRoleTag, request.role}, {"Name", request.hostname}};
    Error last{Errc::kFailedPrecondition, "the cluster's worker group names no subnet", {}};
    for (const auto& subnet : subnets) {
      const auto made = run_from_template(client_, names_.manager_template, subnet, tags,
                                          token_in(subnet, request));
      if (made) {
        Instance out = instance_of(*made);
        if (subnet != subnets.front())
          out.detour = last.message + "; it comes in " + made->zone + " instead";
        return out;
      }
      last = made.error();
      if (last.code != Errc::kResourceExhausted) break;
    }
    if (last.code == Errc::kAlreadyExists)
      return fail(Errc::kConflict, "the machine that was launched has ended already");
    if (last.code == Errc::kNotFound)
      return fail(Errc::kFailedPrecondition, "the cluster has no launch template " +
                                                 names_.manager_template + ": 'hive up' makes it");
    return tl::unexpected(std::move(last));
  }

  Result<std::optional<Group>> workers() {
    HIVE_ASSIGN(auto groups, describe_groups(client_, names_.cluster));
    for (auto& group : groups)
      if (group.name == names_.worker_group) return std::optional<Group>(std::move(group));
    return std::optional<Group>();
  }

  static const char* hook(const Instance& instance) {
    return instance.hold == Hold::kLaunching ? kLaunchHook : kTerminateHook;
  }

  Client& client_;
  const Names names_;
};

}  // namespace

std::unique_ptr<Cloud> connect(Client& client, const Names& names) {
  return std::make_unique<Port>(client, names);
}

}  // namespace hive::cloud::aws
