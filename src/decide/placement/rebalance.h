// Which task to move, one at a time, so that a service's tasks are spread again after nodes have
// joined: Swarm never moves what runs. Pure. The rules for people: docs/operations.md,
// "Rebalancing".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decide/placement/slots.h"

namespace hive::decide::placement {

// What runs for less long than this is still finding its place.
inline constexpr std::int64_t kRestMs = 30'000;

struct RebalanceMove {
  std::string service_id;
  std::string task_id;
  std::string why;  // one sentence
};

// Nothing to be moved, or the cluster is not quiet: a service is being updated or does not have its
// replicas, a task has changed within kRestMs, a node is not ready.
//
// Where to is Swarm's choice: the emptiest that has room, first among the values of the service's
// first placement preference, then of the next, then among nodes. So unevenness is looked for in
// that order, and only towards what has room by reservations. What Swarm goes by beyond that is not
// known here (plugins, platforms, failures of late): a move for a reason for which one was done
// `lately` did not help, and is not made.
std::optional<RebalanceMove> next_move(const model::Snapshot& snapshot, const Facts& facts,
                                       std::int64_t now_unix_ms,
                                       const std::vector<RebalanceMove>& lately = {});

}  // namespace hive::decide::placement
