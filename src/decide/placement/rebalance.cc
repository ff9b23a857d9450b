#include "decide/placement/rebalance.h"

#include <algorithm>
#include <map>

#include "decide/placement/constraints.h"
#include "decide/placement/move_rule.h"
#include "decide/placement/victims.h"

namespace hive::decide::placement {
namespace {

constexpr std::size_t kUneven = 2;  // with a difference of one it is as even as it can be

bool quiet(const model::Snapshot& snapshot, std::int64_t now_unix_ms) {
  for (const auto& [id, node] : snapshot.nodes)
    if (node.state != model::NodeState::kReady) return false;
  for (const auto& [id, service] : snapshot.services)
    if (service.update_state == "updating" || service.update_state == "rollback_started")
      return false;
  return std::none_of(snapshot.tasks.begin(), snapshot.tasks.end(), [&](const auto& entry) {
    return now_unix_ms - entry.second.state_since_unix_ms < kRestMs;
  });
}

// By node id, those that may have tasks of the service. Empty when that cannot be told.
std::map<std::string, std::vector<Slot>> by_node(const model::Snapshot& snapshot,
                                                 const model::Service& service,
                                                 const std::vector<Slot>& slots) {
  std::map<std::string, std::vector<Slot>> out;
  for (const auto& [id, node] : snapshot.nodes) {
    const auto admitted = admits(node, service.constraints);
    if (!admitted) return {};
    if (*admitted && node.availability == model::Availability::kActive) out[id] = {};
  }
  for (const Slot& slot : slots) {
    const auto node = out.find(slot.node_id);
    if (node == out.end()) return {};  // it will be moved for another reason
    node->second.push_back(slot);
  }
  return out;
}

std::optional<RebalanceMove> move_of(const model::Snapshot& snapshot, const Facts& facts,
                                     const model::Service& service) {
  const auto slots = live_slots(snapshot, service, facts);
  if (slots.size() != service.replicas || serving(slots) != slots.size()) return std::nullopt;
  const auto nodes = by_node(snapshot, service, slots);
  if (nodes.empty()) return std::nullopt;
  const auto fewer = [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); };
  const auto [least, most] = std::minmax_element(nodes.begin(), nodes.end(), fewer);
  if (most->second.size() < least->second.size() + kUneven) return std::nullopt;
  const auto victim = choose_victims(most->second, 1).front();
  const auto slot = std::find_if(slots.begin(), slots.end(),
                                 [&](const Slot& one) { return one.number == victim.slot; });
  if (move_rule(snapshot, service, slots, {slot->number}, slot->facts.held).way != MoveWay::kSurge)
    return std::nullopt;
  return RebalanceMove{service.id, slot->task_id,
                       slot->node + " has " + std::to_string(most->second.size()) +
                           " tasks of the service and " + snapshot.nodes.at(least->first).hostname +
                           " has " + std::to_string(least->second.size())};
}

}  // namespace

std::optional<RebalanceMove> next_move(const model::Snapshot& snapshot, const Facts& facts,
                                       std::int64_t now_unix_ms) {
  if (!quiet(snapshot, now_unix_ms)) return std::nullopt;
  for (const auto& [id, service] : snapshot.services) {
    if (service.global) continue;
    if (auto move = move_of(snapshot, facts, service)) return move;
  }
  return std::nullopt;
}

}  // namespace hive::decide::placement
