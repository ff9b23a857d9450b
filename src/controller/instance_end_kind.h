// The operations that end a machine of the cloud without losing anything: its node is emptied and,
// for a termination, leaves the Swarm first.
//   instance_terminate  {"instance": id or host name, "timeout_ms"}
//   instance_stop       {"instance", "timeout_ms"}: its disk and its place in the Swarm stay
//   instance_leave      {"instance"}: begun by hive itself for each instance that the cloud ends
//   and
//                       holds until hive says that it may (cloud::Hold::kEnding)
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_instance_terminate_kind();
std::unique_ptr<OperationKind> make_instance_stop_kind();
std::unique_ptr<OperationKind> make_instance_leave_kind();

}  // namespace hive::controller
