// What the controller's /metrics tells of autoscaling: the newest decision of each service with the
// signals that it saw, how often it was acted on, and the workers that follow
// (docs/autoscaling.md).
//
// Source of the names: prometheus.io/docs/practices/naming.
#pragma once

#include <prometheus/registry.h>

#include "base/json.h"

namespace hive::controller {

// `services` as Autoscaling::list() tells it; one series a service, by its name.
void add_autoscale_metrics(prometheus::Registry& registry, const Json& services);
// `workers` as InstanceScaling::state() tells it; nothing where workers do not follow.
void add_worker_metrics(prometheus::Registry& registry, const Json& workers);

}  // namespace hive::controller
