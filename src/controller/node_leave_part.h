// The part of an operation that takes an emptied node out of the Swarm: a manager becomes a worker
// first, and the node's record is removed. And the rule that keeps Swarm's quorum. Source of the
// rule: Raft needs more than half of the managers to answer.
#pragma once

#include <string>

#include "controller/operation.h"

namespace hive::controller {

// Why the manager may not stop being one; empty when it may, or is none. `stays`: it stays a
// manager that does not answer (its machine is only stopped).
std::string breaks_quorum(const model::Snapshot& snapshot, const model::Node& node,
                          bool stays = false);

// Adds to the step; true when the node is no longer known to Swarm.
bool node_leave_part(const World& world, const std::string& node_id, const std::string& reason,
                     OperationStep& step);

}  // namespace hive::controller
