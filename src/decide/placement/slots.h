// A replicated service as its slots: what Swarm's tasks of one look mean for rules that choose
// which of them go. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/cluster.h"

namespace hive::decide::placement {

// What agents say of a task, beyond Swarm's own word.
struct TaskFacts {
  std::optional<std::uint32_t> in_flight;  // requests, over all edges
  bool healthy = true;   // no agent finds it unhealthy, no edge waits for its first answer
  bool leaving = false;  // its stop has begun
  bool held = false;     // its first process is hive-init: a stop is held and drained
};
using Facts = std::map<std::string, TaskFacts>;  // by task id

enum class SlotState {
  kPlanned,   // its last task ended; the next one waits for the restart delay
  kWaiting,   // its task has no container yet: no node, no image, or the one before it, which
              // Swarm has told to stop, still runs
  kStarting,  // its container starts, or its health is not known yet
  kRunning,
};

struct Slot {
  std::int64_t number = 0;
  SlotState state = SlotState::kWaiting;
  std::string task_id;  // of its live task; of two (an update) the one that runs
  std::string name;     // "hive-server.3"
  std::string node_id;  // empty while unassigned
  std::string node;     // its host name
  std::int64_t created_unix_ms = 0;
  bool node_leaves = false;  // its node takes no tasks, or is not ready
  TaskFacts facts;
};

// The slots that Swarm means to keep: those with a task whose desired state is RUNNING or less, by
// number. A slot whose tasks have all ended and are not replaced (restart condition none) is not
// among them.
std::vector<Slot> live_slots(const model::Snapshot& snapshot, const model::Service& service,
                             const Facts& facts);

// Slots that serve: they run, and no agent objects.
std::uint64_t serving(const std::vector<Slot>& slots);

}  // namespace hive::decide::placement
