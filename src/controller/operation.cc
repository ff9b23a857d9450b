#include "controller/operation.h"

namespace hive::controller {

std::string_view to_string(OperationOutcome outcome) {
  switch (outcome) {
    case OperationOutcome::kRunning:
      return "running";
    case OperationOutcome::kSucceeded:
      return "succeeded";
    case OperationOutcome::kFailed:
      return "failed";
    case OperationOutcome::kCancelled:
      return "cancelled";
  }
  return "running";
}

std::string service_claim(const std::string& service_id) { return "service:" + service_id; }
std::string node_claim(const std::string& node_id) { return "node:" + node_id; }

}  // namespace hive::controller
