// The operation `autoscale`: a person pauses or resumes the policy of a service. Request:
// {"service", "paused": true or false, "reason"}. It is a label of the service (model/autoscale.h).
#pragma once

#include <memory>
#include <string>

#include "controller/operation.h"

namespace hive::controller {

std::unique_ptr<OperationKind> make_autoscale_kind();

// The service has a policy that acts, and nobody paused it.
bool autoscale_acts(const model::Service& service);

// Writes or takes away the label. They restart no task.
OperationAction autoscale_pause_action(const model::Service& service, std::string why);
OperationAction autoscale_resume_action(const model::Service& service, std::string why);

}  // namespace hive::controller
