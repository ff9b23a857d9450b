// The operation `scale`: the number of a replicated service's tasks, in either direction. Fewer:
// chosen tasks go through the stop sequence and out (shrink_part.h). More: until they serve.
// Request: {"service": id or name, "replicas": N, "reason": why (may be left out)}.
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_scale_kind();

}  // namespace hive::controller
