// The part of an operation that moves tasks of a service away from where they are, by the way that
// decide/placement/move_rule allows: a surge that is taken back exactly, or one by one.
#pragma once

#include <string>
#include <vector>

#include "controller/operation.h"
#include "decide/placement/slots.h"

namespace hive::controller {

struct MoveAsk {
  const model::Service& service;
  // Slots whose task is to go, as this look shows them. Those of an earlier look are remembered.
  std::vector<std::int64_t> leaving;
  std::string by;      // the stops' asker: "drain of shop-worker-1"
  std::string reason;  // one sentence
  // Tasks may be stopped now; before, only what is started first is started.
  bool may_stop = true;
};

struct MoveProgress {
  bool moved = false;      // nothing is left to be done
  bool ready = false;      // what was to be started first serves, or nothing was
  bool with_node = false;  // left to Swarm's drain of the node
  std::string doing;
};

// Adds to the step; `state` is this part's own, null at first.
MoveProgress move_part(const World& world, const MoveAsk& ask, Json& state, OperationStep& step);

// Takes a surge back that is not needed any more; true when there is nothing (left) to take back.
bool unmove_part(const World& world, const MoveAsk& ask, Json& state, OperationStep& step);

}  // namespace hive::controller
