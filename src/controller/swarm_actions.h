// What operations do to Swarm, as actions: idempotent, fenced by the version that was looked at.
#pragma once

#include <cstdint>
#include <string>

#include "controller/operation.h"

namespace hive::controller {

// Sets the replicas; kConflict when the service was written since the look.
OperationAction scale_action(const model::Service& service, std::uint64_t replicas,
                             std::string reason);
// "active", "pause", "drain".
OperationAction availability_action(const model::Node& node, const std::string& availability,
                                    std::string reason);

}  // namespace hive::controller
