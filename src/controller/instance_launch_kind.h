// The operation that makes a new worker: an instance of the cloud is started, its engine joins the
// Swarm, and the cloud's balancer gets it. One operation an instance, so that each meets its own
// fate.
//   instance_launch  {"name": host name; empty = chosen, "max": no more workers than these,
//                     "timeout_ms": from the start to a ready node, "reason", "autoscaler",
//                     "replaces", "attempt": fleet_sight.h}
//
// One that is no ready node by then is taken out and ended, and another is tried, kAttempts times.
// Where the cloud has no capacity it is asked again, less and less often, for kCapacityMs. A node
// that may have tasks is never ended here.
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

inline constexpr const char* kInstanceLaunch = "instance_launch";
inline constexpr int kLaunchAttempts = 3;

std::unique_ptr<OperationKind> make_instance_launch_kind();

// A worker's host name that neither an instance nor a node nor one of `taken` has.
std::string free_worker_name(const World& world, const std::set<std::string>& taken);
// Instances of the cloud that are workers; those terminated are not listed.
int count_workers(const std::vector<cloud::Instance>& instances);

}  // namespace hive::controller
