#include "controller/node_leave_part.h"

#include <fmt/core.h>

#include "controller/kind_base.h"

namespace hive::controller {
namespace {

// Has a voice. A manager that a new beginning left out (docker swarm init --force-new-cluster) is
// one by its role alone, and Swarm makes no worker of it: it can only be removed.
bool votes(const model::Node& node) {
  return node.role == model::Role::kManager && !node.manager_reachability.empty();
}

bool answers(const model::Node& node) {
  return node.manager_reachability == "reachable" && node.state == model::NodeState::kReady;
}

OperationAction demote_action(const model::Node& node) {
  return {"make " + node.hostname + " a worker", "a manager leaves Swarm's quorum before it goes",
          [id = node.id](Outside& outside) {
            return engine::modify_node(outside.engine, id, [](Json& spec) -> Result<bool> {
              if (json_string(spec, "Role") == "worker") return false;
              spec["Role"] = "worker";
              return true;
            });
          }};
}

OperationAction remove_action(const model::Node& node, const std::string& reason) {
  return {"remove node " + node.hostname, reason, [id = node.id](Outside& outside) -> Status {
            const auto removed = outside.engine.remove_node(id, true);
            if (!removed && removed.error().code != Errc::kNotFound)
              return tl::unexpected(removed.error());
            return {};
          }};
}

}  // namespace

std::string breaks_quorum(const model::Snapshot& snapshot, const model::Node& node, bool stays) {
  if (!votes(node)) return {};
  std::size_t managers = 0;
  std::size_t answering = 0;  // of the others
  for (const auto& [id, other] : snapshot.nodes) {
    if (!votes(other)) continue;
    ++managers;
    if (id != node.id && answers(other)) ++answering;
  }
  if (managers <= 1)
    return fmt::format(
        "{} is the only manager: without it there is no swarm. Make another one first (hive node "
        "promote NODE), or take the cluster down (hive down)",
        node.hostname);
  const std::size_t left = stays ? managers : managers - 1;
  const std::size_t needed = left / 2 + 1;
  if (answering >= needed) return {};
  return fmt::format(
      "without {} there are {} managers of which {} would answer, and Swarm needs {}. Bring the "
      "others back, or make another one first (hive node promote NODE)",
      node.hostname, left, answering, needed);
}

bool node_leave_part(const World& world, const std::string& node_id, const std::string& reason,
                     OperationStep& step) {
  const auto found = world.snapshot.nodes.find(node_id);
  if (found == world.snapshot.nodes.end()) return true;
  const auto& node = found->second;
  step.look_again = kNodesLookAgain;
  const bool left_out = !votes(node) && node.state == model::NodeState::kDown;
  if (node.role == model::Role::kManager && !left_out) {
    if (const auto why = breaks_quorum(world.snapshot, node); !why.empty()) {
      step.progress.doing = "waits: " + why;
      return false;
    }
    step.progress.doing = "makes it a worker";
    step.actions.push_back(demote_action(node));
    return false;
  }
  // Its raft member goes a moment after its role.
  if (!node.manager_reachability.empty()) {
    step.progress.doing = "waits until it is no manager any more";
    return false;
  }
  step.progress.doing = "removes it";
  step.actions.push_back(remove_action(node, reason));
  return false;
}

}  // namespace hive::controller
