#include "controller/operation.h"

#include "base/text.h"

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

OperationOutcome outcome_from(std::string_view word) {
  for (const auto outcome :
       {OperationOutcome::kSucceeded, OperationOutcome::kFailed, OperationOutcome::kCancelled})
    if (to_string(outcome) == word) return outcome;
  return OperationOutcome::kRunning;
}

std::string took(std::int64_t ms) { return format_duration(Milliseconds(ms - ms % 100)); }

std::string service_claim(const std::string& service_id) { return "service:" + service_id; }
std::string node_claim(const std::string& node_id) { return "node:" + node_id; }

}  // namespace hive::controller
