// The operations that give a node's tasks up and take the node in again.
//   node_drain     {"node": id or host name, "timeout_ms": (ten minutes), "reason"}
//   node_activate  {"node"}
// A node that somebody else set to drain, or whose machine shuts down, is drained by an operation
// that hive begins itself; in the latter case ("returns") it is made active again once it is down.
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_node_drain_kind();
std::unique_ptr<OperationKind> make_node_activate_kind();

}  // namespace hive::controller
