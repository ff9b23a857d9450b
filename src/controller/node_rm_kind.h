// The operations that take nodes out of the Swarm.
//   node_rm    {"node": id or host name, "force": its tasks are not moved first, "timeout_ms"}
//   node_reap  {"node"}: begun by hive for a node that is down and whose instance the cloud knows
//              no more; a node that comes back is left alone
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

inline constexpr const char* kNodeReap = "node_reap";

std::unique_ptr<OperationKind> make_node_rm_kind();
std::unique_ptr<OperationKind> make_node_reap_kind();

}  // namespace hive::controller
