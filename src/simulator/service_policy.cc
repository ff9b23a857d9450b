#include "simulator/service_policy.h"

#include <algorithm>

namespace hive::simulator {

int ServicePolicy::step(const Seen& seen) {
  ++view_.second;
  view_.unix_s = seen.now;
  // Offsets change at whole minutes at most, and so do bounds.
  if (zones_ && (view_.zone_offsets.empty() || seen.now % 60 == 0))
    view_.zone_offsets = zones_(seen.now);
  view_.ready = seen.ready;
  view_.starting = seen.starting;
  view_.requests = {};
  view_.cpu = {};
  if (seen.known) {
    view_.requests.value = seen.requests;
    view_.cpu.value = seen.utilisation;
  }
  return scaler_.decide(view_).replicas;
}

decide::autoscale::Bounds widest_bounds(const decide::autoscale::Policy& policy) {
  decide::autoscale::Bounds out{.min = policy.min, .max = policy.max};
  for (const auto& schedule : policy.schedules) {
    if (schedule.min) out.min = std::min(out.min, *schedule.min);
    if (schedule.min) out.max = std::max(out.max, *schedule.min);
    if (schedule.max) out.max = std::max(out.max, *schedule.max);
  }
  return out;
}

}  // namespace hive::simulator
