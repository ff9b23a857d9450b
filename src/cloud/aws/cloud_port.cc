#include "cloud/aws/cloud_port.h"

#include <algorithm>
#include <map>

#include "cloud/aws/autoscaling.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/elb.h"
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
  if (lifecycle_state == "Terminating:Wait") return Hold::kEnding;
  return Hold::kNone;
}

// The Classic Load Balancer says InService of one that drains too.
TargetHealth health_of(const InstanceHealth& health) {
  if (health.description.find("deregistration currently in progress") != std::string::npos)
    return TargetHealth::kDraining;
  if (health.state == "InService") return TargetHealth::kInService;
  if (health.description.find("registration is still in progress") != std::string::npos)
    return TargetHealth::kInitial;
  return TargetHealth::kOutOfService;
}

std::string mode_of(const BalancerListener& listener) {
  if (listener.protocol == "HTTPS") return "https";
  return listener.protocol == "HTTP" ? "http" : "tcp";
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
    if (request.role != "worker") return operators("launching a manager");
    // Asked for again by its name it would be another one each time.
    if (!request.hostname.empty())
      return fail(Errc::kUnsupported,
                  "a worker of a group cannot be launched by a name of one's choice");
    HIVE_ASSIGN(const auto group, workers());
    if (!group) return fail(Errc::kNotFound, "the cluster has no worker group");
    if (group->desired >= group->spec.max)
      return fail(Errc::kResourceExhausted, "worker group " + group->name + " has " +
                                                std::to_string(group->desired) +
                                                " workers, and workers.max is no more");
    HIVE_TRY(set_desired(client_, group->name, group->desired + 1));
    return Instance{.role = "worker"};
  }

  Result<std::vector<Instance>> list_instances() override {
    HIVE_ASSIGN(const auto machines, describe_instances(client_, names_.cluster));
    HIVE_ASSIGN(const auto group, workers());
    std::map<std::string, std::string> lifecycle;
    if (group)
      for (const auto& member : group->members) lifecycle[member.id] = member.lifecycle_state;
    std::vector<Instance> out;
    for (const auto& machine : machines) {
      const auto state = state_of(machine.state);
      if (state == InstanceState::kTerminated) continue;
      const auto role = machine.tags.find(kRoleTag);
      Instance one{.id = machine.id,
                   .hostname = hostname_of(machine, names_),
                   .role = role == machine.tags.end() ? "" : role->second,
                   .address = machine.address,
                   .state = state};
      if (const auto at = parse_time(machine.launched); at)
        one.launched_unix_ms =
            std::chrono::duration_cast<Milliseconds>(at->time_since_epoch()).count();
      if (const auto member = lifecycle.find(machine.id); member != lifecycle.end())
        one.hold = hold_of(member->second);
      out.push_back(std::move(one));
    }
    return out;
  }

  Status start(const std::string&) override { return operators("starting an instance"); }
  Status stop(const std::string&) override { return operators("stopping an instance"); }
  Status power_off(const std::string&) override { return operators("a power cut"); }

  Status terminate(const std::string& id) override {
    HIVE_ASSIGN(const auto group, workers());
    const bool member = group && std::any_of(group->members.begin(), group->members.end(),
                                             [&](const GroupMember& one) { return one.id == id; });
    if (!member) return terminate_instances(client_, {id});
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

  Result<std::string> console_output(const std::string&, std::size_t) override {
    return operators("reading an instance's console");
  }

  // A machine of the group asks the join desk by itself, with proof of what it is.
  Status join(const std::string&, const SwarmPlace&) override { return {}; }
  Status ensure_balancer(const BalancerSpec&) override { return operators("making a balancer"); }
  Status register_instance(const std::string& id) override {
    return register_instances(client_, names_.balancer, {id});
  }
  Status deregister_instance(const std::string& id) override {
    return deregister_instances(client_, names_.balancer, {id});
  }

  Result<BalancerStatus> balancer() override {
    HIVE_ASSIGN(const auto there, describe_balancer(client_, names_.balancer));
    HIVE_ASSIGN(const auto healths, describe_instance_health(client_, names_.balancer));
    BalancerStatus out{.address = there.dns_name};
    for (const auto& one : there.listeners)
      out.spec.listeners.push_back(
          {.port = one.port, .instance_port = one.instance_port, .mode = mode_of(one)});
    for (const auto& one : healths)
      out.targets.push_back({.instance_id = one.instance,
                             .health = health_of(one),
                             .reason = one.description == "N/A" ? "" : one.description});
    return out;
  }

 private:
  Result<std::optional<Group>> workers() {
    HIVE_ASSIGN(auto groups, describe_groups(client_, names_.cluster));
    for (auto& group : groups)
      if (group.name == names_.worker_group) return std::optional<Group>(std::move(group));
    return std::optional<Group>();
  }

  static const char* hook(const Instance& instance) {
    return instance.hold == Hold::kLaunching ? kLaunchHook : kTerminateHook;
  }

  // "No active Lifecycle Action found": it was answered, or ended by itself.
  static Status unless_over(Status done) {
    if (!done && done.error().code == Errc::kInvalidArgument &&
        done.error().message.find("No active Lifecycle Action") != std::string::npos)
      return {};
    return done;
  }

  Client& client_;
  const Names names_;
};

}  // namespace

std::unique_ptr<Cloud> connect(Client& client, const Names& names) {
  return std::make_unique<Port>(client, names);
}

}  // namespace hive::cloud::aws
