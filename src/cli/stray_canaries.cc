#include "cli/stray_canaries.h"

#include <algorithm>

namespace hive::cli {
namespace {

// The controller's label: the id of the service that it is a canary of.
constexpr const char* kCanaryOf = "hive.canary.of";

bool goes_on(const Json& operation, const std::string& service_id, const model::Service& canary) {
  if (json_string(operation, "outcome") != "running") return false;
  return json_string(operation, "request.service") == service_id ||
         json_string(operation, "request.canary") == canary.id;
}

}  // namespace

std::vector<PreflightFinding> stray_canaries(const std::vector<model::Service>& services,
                                             const Json& operations) {
  std::vector<PreflightFinding> out;
  for (const auto& canary : services) {
    const auto label = canary.labels.find(kCanaryOf);
    if (label == canary.labels.end()) continue;
    const bool known = operations.is_array() &&
                       std::any_of(operations.begin(), operations.end(), [&](const Json& one) {
                         return goes_on(one, label->second, canary);
                       });
    if (known) continue;
    const auto of = std::find_if(services.begin(), services.end(),
                                 [&](const auto& service) { return service.id == label->second; });
    out.push_back({true,
                   "service " + canary.name + " is the canary of " +
                       (of == services.end() ? "a service that is gone" : of->name) + ", and " +
                       (operations.is_array() ? "no rollout of it goes on"
                                              : "no controller tells of a rollout of it") +
                       ": it may still get a share of the requests",
                   "a controller takes it away by itself; 'hive service rm " + canary.name +
                       "' does so at once"});
  }
  return out;
}

}  // namespace hive::cli
