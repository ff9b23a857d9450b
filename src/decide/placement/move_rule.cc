#include "decide/placement/move_rule.h"

#include <algorithm>

namespace hive::decide::placement {
namespace {

constexpr std::uint64_t kNoBound = 1'000'000;

bool fixed_host_ports(const model::Service& service) {
  return std::any_of(service.ports.begin(), service.ports.end(), [](const model::Port& port) {
    return port.mode == model::PublishMode::kHost && port.published != 0;
  });
}

std::uint64_t bound_a_node(const model::Service& service) {
  const std::uint64_t ports = fixed_host_ports(service) ? 1 : kNoBound;
  return std::min(ports, service.max_per_node == 0 ? kNoBound : service.max_per_node);
}

}  // namespace

std::uint64_t room(const model::Snapshot& snapshot, const model::Service& service,
                   const std::vector<Slot>& slots) {
  const std::uint64_t bound = bound_a_node(service);
  if (bound == kNoBound) return kNoBound;
  std::uint64_t out = 0;
  for (const auto& [id, node] : snapshot.nodes) {
    if (node.state != model::NodeState::kReady || node.availability != model::Availability::kActive)
      continue;
    const auto there = static_cast<std::uint64_t>(std::count_if(
        slots.begin(), slots.end(), [&id = id](const Slot& slot) { return slot.node_id == id; }));
    out += bound > there ? bound - there : 0;
  }
  return out;
}

MoveRule move_rule(const model::Snapshot& snapshot, const model::Service& service,
                   const std::vector<Slot>& slots, const std::vector<std::int64_t>& leaving,
                   bool holds) {
  if (service.global)
    return {MoveWay::kWithNode, "it is global: one task a node, which ends with it"};
  if (!holds)
    return {MoveWay::kWithNode,
            "its stops are not held (no hive-init): Swarm moves it, and what it has in flight is "
            "cut off"};
  if (!service.start_first)
    return {MoveWay::kOneByOne, "its updates are stop-first: it never has one instance too many"};
  if (service.storage_by_slot)
    return {MoveWay::kOneByOne,
            "its storage is named by the slot: another slot would have other "
            "data"};
  if (service.restart_condition != "none" && service.restart_delay_ms < 5'000)
    return {MoveWay::kOneByOne,
            "its restart delay is shorter than 5s: a surge could not be taken "
            "back exactly"};
  if (room(snapshot, service, slots) < leaving.size())
    return {MoveWay::kOneByOne,
            fixed_host_ports(service)
                ? "its ports on the nodes are fixed and no other node is free of them"
                : "the other nodes have as many of its tasks as max_replicas_per_node allows"};
  return {};
}

}  // namespace hive::decide::placement
