// The operation that takes away a canary which no rollout knows any more:
//   canary_rm  {"canary": id of the canary's service}
// hive begins it by itself. A rollout clears its own canary away; one is left when the rollout's
// record was lost or its clearing up failed for good, and would get its share of the requests for
// ever. Only what a rollout of hive's made is touched.
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_canary_rm_kind();

}  // namespace hive::controller
