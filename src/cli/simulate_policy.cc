#include "cli/simulate_policy.h"

#include <fmt/core.h>

#include "config/autoscale_policy.h"
#include "os/time_zone.h"

namespace hive::cli {

decide::autoscale::Policy simulated_policy(const config::Autoscale& said) {
  auto out = config::autoscale_policy(said);
  out.target = {.requests_per_replica = said.target.requests_per_replica, .cpu = said.target.cpu};
  return out;
}

Result<simulator::ZoneOffsets> zone_offsets(const decide::autoscale::Policy& policy) {
  std::vector<os::TimeZone> zones;
  for (const auto& schedule : policy.schedules) {
    if (schedule.zone == "UTC") {
      zones.emplace_back();
      continue;
    }
    auto zone = os::TimeZone::load(schedule.zone);
    if (!zone)
      return fail(Errc::kFailedPrecondition, fmt::format("the time zone {} of a schedule: {}",
                                                         schedule.zone, zone.error().message));
    zones.push_back(std::move(*zone));
  }
  return [zones](std::int64_t unix_s) {
    std::vector<int> out;
    out.reserve(zones.size());
    for (const auto& zone : zones) out.push_back(zone.offset_at(unix_s));
    return out;
  };
}

}  // namespace hive::cli
