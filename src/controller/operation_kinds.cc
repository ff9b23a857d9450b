#include "controller/kind_rollout.h"
#include "controller/operation.h"

namespace hive::controller {

std::vector<std::unique_ptr<OperationKind>> operation_kinds() {
  std::vector<std::unique_ptr<OperationKind>> kinds;
  kinds.push_back(std::make_unique<RolloutKind>());
  return kinds;
}

}  // namespace hive::controller
