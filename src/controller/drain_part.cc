#include "controller/drain_part.h"

#include <algorithm>
#include <set>

#include "controller/kind_base.h"
#include "controller/move_part.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"
#include "decide/placement/slots.h"

namespace hive::controller {
namespace {

namespace placement = decide::placement;
using model::Availability;
using model::Task;
using model::TaskState;

// A balancer that was told is seen to drain by then, however old the look at it.
constexpr std::int64_t kTellBalancerAgainMs = 60'000;

// Slots of the service whose task is there, or was told by Swarm to leave and is not replaced yet.
std::vector<std::int64_t> slots_on(const World& world, const model::Service& service,
                                   const std::string& node_id) {
  std::set<std::int64_t> out;
  std::set<std::int64_t> ending;
  for (const auto& slot : placement::live_slots(world.snapshot, service, {})) {
    if (slot.node_id == node_id) out.insert(slot.number);
    if (slot.state == placement::SlotState::kWaiting) ending.insert(slot.number);
  }
  for (const auto& [id, task] : world.snapshot.tasks)
    if (task.service_id == service.id && task.node_id == node_id &&
        task.state == TaskState::kRunning && task.desired > TaskState::kRunning &&
        ending.contains(task.slot))
      out.insert(task.slot);
  return {out.begin(), out.end()};
}

// Whatever of Swarm's runs or shall run there, and stops that are not over.
std::size_t left_on(const World& world, const std::string& node_id) {
  std::set<std::string> out;
  for (const auto& [id, task] : world.snapshot.tasks) {
    const bool placed = task.state >= TaskState::kAssigned && task.state <= TaskState::kRunning;
    if (task.node_id == node_id && placed && task.desired != TaskState::kReady) out.insert(id);
  }
  if (const auto report = world.reports.find(node_id); report != world.reports.end()) {
    for (const auto& container : report->second.containers)
      if (container.state == "running") out.insert(container.task_id);
    for (const auto& stop : report->second.stops)
      if (stop.step != model::StopStep::kDone) out.insert(stop.task_id);
  }
  return out.size();
}

const cloud::TargetStatus* target_of(const World& world, const std::string& instance_id) {
  if (!world.cloud || !world.cloud->has_balancer) return nullptr;
  for (const auto& target : world.cloud->balancer.targets)
    if (target.instance_id == instance_id) return &target;
  return nullptr;
}

bool others_serve(const World& world, const std::string& instance_id) {
  const auto& targets = world.cloud->balancer.targets;
  return std::any_of(targets.begin(), targets.end(), [&](const cloud::TargetStatus& target) {
    return target.instance_id != instance_id && target.health == cloud::TargetHealth::kInService;
  });
}

OperationAction deregister_action(const cloud::Instance& instance) {
  return {"take " + instance.hostname + " out of the cloud's balancer", "before its last task goes",
          [id = instance.id](Outside& outside) -> Status {
            HIVE_ASSIGN(const auto cloud, outside.cloud());
            return cloud->deregister_instance(id);
          }};
}

struct Drain {
  const DrainAsk& ask;
  Json& state;
  OperationStep& step;
  const World& world = ask.input.world;
  const model::Node& node = world.snapshot.nodes.at(ask.node_id);

  // True once its tasks may go: the balancer sends it nothing new.
  bool left_balancer() {
    if (state.contains("deregistered")) {
      deregister_again();
      return true;
    }
    const auto* instance = instance_of(world, node);
    if (instance == nullptr || target_of(world, instance->id) == nullptr) return true;
    if (!others_serve(world, instance->id)) {
      if (!json_bool(state, "last_told")) {
        state["last_told"] = true;
        step.notes.push_back(
            "it stays with the cloud's balancer, which has no other node in "
            "service");
      }
      return true;
    }
    state["deregistered"] = instance->id;
    state["deregistered_unix_ms"] = world.now_unix_ms;
    step.actions.push_back(deregister_action(*instance));
    return false;
  }

  // The order may have failed, or reached a part of the balancer alone.
  void deregister_again() {
    const auto* instance = instance_of(world, node);
    const auto* target = instance == nullptr ? nullptr : target_of(world, instance->id);
    const auto told = json_int(state, "deregistered_unix_ms", world.now_unix_ms);
    if (target == nullptr || target->health == cloud::TargetHealth::kDraining ||
        instance->id != json_string(state, "deregistered") ||
        world.now_unix_ms - told < kTellBalancerAgainMs)
      return;
    state["deregistered_unix_ms"] = world.now_unix_ms;
    step.actions.push_back(deregister_action(*instance));
  }

  bool balancer_done() const {
    const std::string instance = json_string(state, "deregistered");
    return instance.empty() || target_of(world, instance) == nullptr;
  }

  // One service's part; what it waits for is put into the step's progress.
  bool move(const model::Service& service, bool may_stop) {
    Json& parts = state["services"];
    const bool known = parts.contains(service.id);
    const auto leaving = slots_on(world, service, ask.node_id);
    if (!known && leaving.empty()) return true;
    if (!known) {
      if (const auto holder = ask.input.holder(service_claim(service.id)); !holder.empty()) {
        step.progress.doing = "waits for operation " + holder + " on " + service.name;
        return false;
      }
      state["tasks"] = json_int(state, "tasks") + static_cast<std::int64_t>(leaving.size());
    }
    Json part = known ? parts[service.id] : Json();
    if (json_bool(part, "moved") && leaving.empty()) return true;
    if (json_bool(part, "moved")) part = Json();  // new ones came meanwhile
    const MoveAsk move{service, leaving, "drain of " + node.hostname, ask.reason, may_stop};
    const auto progress = move_part(world, move, part, step);
    if (progress.moved) part["moved"] = true;
    parts[service.id] = std::move(part);
    if (!progress.moved && !progress.with_node && !progress.doing.empty())
      step.progress.doing = progress.doing;
    return progress.moved || progress.with_node;
  }

  bool move_all(bool may_stop) {
    bool all = true;
    for (const auto& [id, service] : world.snapshot.services)
      if (!service.global && !move(service, may_stop)) all = false;
    return all;
  }

  // Surges that Swarm's own drain made superfluous, at the deadline.
  bool take_back() {
    bool all = true;
    for (auto& [id, part] : state["services"].items()) {
      const auto service = world.snapshot.services.find(id);
      if (service == world.snapshot.services.end()) continue;
      const MoveAsk move{service->second, {}, "drain of " + node.hostname, ask.reason, true};
      if (!unmove_part(world, move, part, step)) all = false;
    }
    return all;
  }

  bool run() {
    if (state.is_null()) {
      state = Json{{"was", model::to_string(node.availability)}, {"services", Json::object()}};
      state["left"] = left_on(world, ask.node_id);
    }
    const bool late = world.now_unix_ms > ask.deadline_unix_ms;
    step.look_again = kTasksLookAgain;
    if (node.state == model::NodeState::kDown) return down();
    // Before any task is started elsewhere, in the same step: actions are done in their order.
    const bool active = node.availability == Availability::kActive;
    if (active)
      step.actions.push_back(availability_action(node, "pause", "it shall get no new tasks"));
    const bool may_stop = left_balancer() && !active;
    if (!late && !move_all(may_stop)) return false;
    if (active) return false;
    if (late && !json_bool(state, "late")) {
      state["late"] = true;
      step.notes.push_back("its time is up: Swarm itself drains what is left there");
    }
    if (node.availability != Availability::kDrain) {
      step.actions.push_back(
          availability_action(node, "drain", late ? "its time is up" : ask.reason));
      return false;
    }
    if (late && !take_back()) return false;
    const auto left = left_on(world, ask.node_id);
    const bool over = world.now_unix_ms > ask.deadline_unix_ms + 180'000;
    if (left > 0 && !over) {
      step.progress.doing = "waits until " + std::to_string(left) + " more containers end there";
      return false;
    }
    if (!balancer_done() && !over) {
      step.progress.doing = "waits until the cloud's balancer has no connection to it";
      return false;
    }
    return true;
  }

  // Nothing runs there that could be lost; Swarm has moved its tasks, so that surges are too many.
  bool down() {
    if (!take_back()) return false;
    if (node.availability == Availability::kDrain) return true;
    step.actions.push_back(availability_action(node, "drain", "it is down"));
    return false;
  }
};

}  // namespace

bool drain_part(const DrainAsk& ask, Json& state, OperationStep& step) {
  return Drain{ask, state, step}.run();
}

bool undrain_part(const DrainAsk& ask, Json& state, OperationStep& step) {
  if (state.is_null()) return true;
  Drain drain{ask, state, step};
  const std::string was = json_string(state, "was");
  if (model::to_string(drain.node.availability) != was)
    step.actions.push_back(availability_action(drain.node, was, "the drain was cancelled"));
  if (state.contains("deregistered"))
    if (const auto* instance = instance_of(drain.world, drain.node)) {
      step.actions.push_back(register_action(*instance, "the drain was cancelled"));
      state.erase("deregistered");
      state.erase("deregistered_unix_ms");
    }
  step.progress.doing = "puts back what it had begun";
  return drain.take_back() && step.actions.empty();
}

std::string drained_what(const Json& state) {
  const auto tasks = json_int(state, "tasks");
  std::size_t services = 0;
  if (const Json* parts = json_member(state, "services")) services = parts->size();
  if (tasks == 0) return "nothing had to move";
  return "moved " + std::to_string(tasks) + (tasks == 1 ? " task of " : " tasks of ") +
         std::to_string(services) + (services == 1 ? " service" : " services") +
         (json_bool(state, "late") ? ", not all of them within the time" : "");
}

std::vector<std::string> drain_claims(const Json& state) {
  std::vector<std::string> out;
  if (const Json* parts = json_member(state, "services"); parts != nullptr && parts->is_object())
    for (const auto& [id, part] : parts->items())
      if (!json_bool(part, "moved")) out.push_back(service_claim(id));
  return out;
}

std::uint64_t replicas_before_surge(const Json& operation_state, const model::Service& service) {
  const Json* drain = json_member(operation_state, "drain");
  const Json* parts = drain == nullptr ? nullptr : json_member(*drain, "services");
  const Json* part = parts == nullptr ? nullptr : json_member(*parts, service.id);
  if (part == nullptr || json_bool(*part, "moved")) return service.replicas;
  return std::min<std::uint64_t>(
      service.replicas, static_cast<std::uint64_t>(
                            json_int(*part, "from", static_cast<std::int64_t>(service.replicas))));
}

const cloud::Instance* instance_of(const World& world, const model::Node& node) {
  if (!world.cloud) return nullptr;
  const std::string address = reachable_address(node);
  for (const auto& instance : world.cloud->instances)
    if (instance.hostname == node.hostname &&
        (instance.address == address || address.empty() || instance.address.empty()))
      return &instance;
  return nullptr;
}

const model::Node* node_of(const World& world, const cloud::Instance& instance) {
  for (const auto& [id, node] : world.snapshot.nodes)
    if (instance_of(world, node) == &instance) return &node;
  return nullptr;
}

bool has_ready_node(const World& world, const cloud::Instance& instance) {
  return std::any_of(world.snapshot.nodes.begin(), world.snapshot.nodes.end(),
                     [&](const auto& entry) {
                       return entry.second.state == model::NodeState::kReady &&
                              instance_of(world, entry.second) == &instance;
                     });
}

OperationAction register_action(const cloud::Instance& instance, std::string reason) {
  return {"put " + instance.hostname + " into the cloud's balancer", std::move(reason),
          [id = instance.id](Outside& outside) -> Status {
            HIVE_ASSIGN(const auto cloud, outside.cloud());
            return cloud->register_instance(id);
          }};
}

bool drains_by_swarm(const model::Snapshot& snapshot, const std::string& node_id) {
  return std::any_of(snapshot.tasks.begin(), snapshot.tasks.end(), [&](const auto& entry) {
    const Task& task = entry.second;
    const auto service = snapshot.services.find(task.service_id);
    return task.node_id == node_id && task.state == TaskState::kRunning &&
           task.desired > TaskState::kRunning && service != snapshot.services.end() &&
           !service->second.global;
  });
}

}  // namespace hive::controller
