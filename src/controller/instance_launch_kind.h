// The operation that makes a new worker: an instance of the cloud is started, its engine joins the
// Swarm, and the cloud's balancer gets it. One operation an instance, so that each meets its own
// fate.
//   instance_launch  {"name": host name; empty = chosen, "max": no more workers than these,
//                     "timeout_ms": from the start to a ready node, "reason", "autoscaler",
//                     "replaces", "attempt": fleet_sight.h}
// How it goes, and what is tried again: launch_part.h.
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

inline constexpr const char* kInstanceLaunch = "instance_launch";

std::unique_ptr<OperationKind> make_instance_launch_kind();

// A worker's host name that neither an instance nor a node nor one of `taken` has.
std::string free_worker_name(const World& world, const std::set<std::string>& taken);

}  // namespace hive::controller
