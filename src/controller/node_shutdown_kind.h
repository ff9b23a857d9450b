// The operation that hive begins when an agent says that its machine shuts down: the node is
// emptied within the time that the machine gives, and made active again once it is down, so that it
// serves when it comes back.
//   node_shutdown  {"node": id or host name, "timeout_ms"}
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_node_shutdown_kind();

}  // namespace hive::controller
