// The operation that lets a new instance count once it can serve: the cloud holds it
// (cloud::Hold::kLaunching) until its node is ready and its agent reports. Begun by hive itself. An
// instance whose node never comes is not let through: its hold ends by itself, and its group
// replaces it.
//   instance_ready  {"instance"}
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_instance_ready_kind();

}  // namespace hive::controller
