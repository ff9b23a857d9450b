// How tasks of a service may leave their node: with a second instance started first, one by one, or
// only with the node itself. Pure. The rules for people: docs/operations.md, "How tasks move".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decide/placement/slots.h"

namespace hive::decide::placement {

enum class MoveWay {
  kSurge,     // as many more first; when they serve, the old ones go: capacity never dips
  kOneByOne,  // stopped, started elsewhere, and only then the next
  kWithNode,  // left to Swarm's own drain of the node
};

struct MoveRule {
  MoveWay way = MoveWay::kSurge;
  std::string why;  // of a way that is not the best; for people
  bool operator==(const MoveRule&) const = default;
};

// What holds for tasks in `leaving` (slot numbers) of the service, whose live slots are given.
// `holds`: their stops are held by hive-init.
MoveRule move_rule(const model::Snapshot& snapshot, const model::Service& service,
                   const std::vector<Slot>& slots, const std::vector<std::int64_t>& leaving,
                   bool holds);

// More tasks of the service that the nodes taking tasks may have, by its own bounds a node alone
// (fixed host ports, max_replicas_per_node); a large number without such a bound.
std::uint64_t room(const model::Snapshot& snapshot, const model::Service& service,
                   const std::vector<Slot>& slots);

}  // namespace hive::decide::placement
