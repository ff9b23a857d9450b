#include "model/cluster.h"

#include <array>

namespace hive::model {
namespace {

constexpr std::array<std::string_view, 15> kTaskStates{
    "new",     "allocated", "pending",  "assigned", "accepted", "preparing", "ready",   "starting",
    "running", "complete",  "shutdown", "failed",   "rejected", "remove",    "orphaned"};

}  // namespace

// Docker's words: "task: non-zero exit (143): dockerexec: unhealthy container".
bool found_unhealthy(const Task& task) { return task.error.find("unhealthy") != std::string::npos; }

std::string_view to_string(Role role) { return role == Role::kManager ? "manager" : "worker"; }

std::string_view to_string(Availability availability) {
  switch (availability) {
    case Availability::kActive:
      return "active";
    case Availability::kPause:
      return "pause";
    case Availability::kDrain:
      return "drain";
  }
  return "active";
}

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kUnknown:
      return "unknown";
    case NodeState::kDown:
      return "down";
    case NodeState::kReady:
      return "ready";
    case NodeState::kDisconnected:
      return "disconnected";
  }
  return "unknown";
}

std::string_view to_string(TaskState state) { return kTaskStates[static_cast<std::size_t>(state)]; }

std::string_view to_string(PublishMode mode) {
  return mode == PublishMode::kHost ? "host" : "ingress";
}

NodeState node_state_from(std::string_view word) {
  if (word == "ready") return NodeState::kReady;
  if (word == "down") return NodeState::kDown;
  if (word == "disconnected") return NodeState::kDisconnected;
  return NodeState::kUnknown;
}

TaskState task_state_from(std::string_view word) {
  for (std::size_t i = 0; i < kTaskStates.size(); ++i)
    if (kTaskStates[i] == word) return static_cast<TaskState>(i);
  return TaskState::kNew;
}

}  // namespace hive::model
