// What becomes of an engine that is to be a node of a swarm, by what it says of itself. Pure.
#pragma once

#include <string_view>

#include "base/clock.h"

namespace hive::cli {

enum class JoinStep {
  kThere,         // it is a node of this swarm
  kWait,          // look again
  kJoin,          // it is in no swarm
  kLeaveAndJoin,  // what it is in is not this swarm, or cannot be repaired
  kLocked,        // a person has to unlock it
  kStuck,         // a manager of this swarm that does not come back to it
};

// `state`: Docker's LocalNodeState. `known`: its node id is among this swarm's. `waited`: since it
// was looked at first. A manager of this swarm that is on its way back never leaves: with its place
// goes its vote, and with two of three the quorum, for good. A worker has none to lose.
JoinStep next_join_step(std::string_view state, bool known, bool manager, Milliseconds waited);

}  // namespace hive::cli
