#include "controller/operation.h"

namespace hive::controller {

std::vector<std::unique_ptr<OperationKind>> operation_kinds() {
  std::vector<std::unique_ptr<OperationKind>> kinds;
  return kinds;
}

}  // namespace hive::controller
