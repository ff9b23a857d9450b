#include "decide/placement/slots.h"

#include <algorithm>
#include <set>

namespace hive::decide::placement {
namespace {

using model::Task;
using model::TaskState;

SlotState state_of(const Task& task) {
  if (task.state == TaskState::kRunning) return SlotState::kRunning;
  // Swarm keeps a replacement at READY for the restart delay.
  if (task.desired < TaskState::kRunning) return SlotState::kPlanned;
  return task.state < TaskState::kReady ? SlotState::kWaiting : SlotState::kStarting;
}

bool leaves(const model::Snapshot& snapshot, const std::string& node_id) {
  const auto node = snapshot.nodes.find(node_id);
  return node != snapshot.nodes.end() &&
         (node->second.state != model::NodeState::kReady ||
          node->second.availability != model::Availability::kActive);
}

Slot slot_of(const model::Snapshot& snapshot, const model::Service& service, const Task& task,
             const Facts& facts) {
  Slot out;
  out.number = task.slot;
  out.state = state_of(task);
  out.task_id = task.id;
  out.name = service.name + "." + std::to_string(task.slot);
  out.node_id = task.node_id;
  const auto node = snapshot.nodes.find(task.node_id);
  out.node = node == snapshot.nodes.end() ? task.node_id : node->second.hostname;
  out.created_unix_ms = task.created_unix_ms;
  out.node_leaves = leaves(snapshot, task.node_id);
  if (const auto known = facts.find(task.id); known != facts.end()) out.facts = known->second;
  return out;
}

}  // namespace

std::vector<Slot> live_slots(const model::Snapshot& snapshot, const model::Service& service,
                             const Facts& facts) {
  std::map<std::int64_t, const Task*> best;
  std::set<std::int64_t> still_stopping;
  for (const auto& [id, task] : snapshot.tasks) {
    if (task.service_id != service.id) continue;
    if (task.desired > TaskState::kRunning) {
      if (task.state == TaskState::kRunning) still_stopping.insert(task.slot);
      continue;
    }
    const Task*& known = best[task.slot];
    const bool runs = task.state == TaskState::kRunning;
    const bool known_runs = known != nullptr && known->state == TaskState::kRunning;
    const bool newer = known == nullptr || task.created_unix_ms >= known->created_unix_ms;
    if (known == nullptr || (runs && !known_runs) || (runs == known_runs && newer)) known = &task;
  }
  std::vector<Slot> out;
  for (const auto& [number, task] : best) {
    out.push_back(slot_of(snapshot, service, *task, facts));
    if (out.back().state == SlotState::kPlanned && still_stopping.contains(number))
      out.back().state = SlotState::kWaiting;
  }
  return out;
}

std::uint64_t serving(const std::vector<Slot>& slots) {
  return static_cast<std::uint64_t>(std::count_if(slots.begin(), slots.end(), [](const Slot& s) {
    return s.state == SlotState::kRunning && s.facts.healthy && !s.facts.leaving;
  }));
}

}  // namespace hive::decide::placement
