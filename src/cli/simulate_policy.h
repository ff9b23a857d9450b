// A service's x-hive.autoscale as `hive simulate` runs it.
#pragma once

#include "base/result.h"
#include "config/compose.h"
#include "decide/autoscale/policy.h"
#include "simulator/service_policy.h"

namespace hive::cli {

// What the load of a simulation can drive: bounds, targets of requests and CPU, schedules, limits.
// Concurrency, memory and latency have no counterpart in a trace and are left out.
decide::autoscale::Policy simulated_policy(const config::Autoscale& said);

// From the system's zoneinfo files. kFailedPrecondition naming the zone that cannot be read.
Result<simulator::ZoneOffsets> zone_offsets(const decide::autoscale::Policy& policy);

}  // namespace hive::cli
