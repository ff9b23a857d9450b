// The operation that lets a new instance count once it can serve: the cloud holds it
// (cloud::Hold::kLaunching) until its node is ready and its agent reports. Begun by hive itself. An
// instance whose node does not come within x-hive.workers.join_timeout, ten minutes at least, is
// given up: its group ends it and starts another.
//   instance_ready  {"instance"}
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_instance_ready_kind();

}  // namespace hive::controller
