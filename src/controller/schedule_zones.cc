#include "controller/schedule_zones.h"

namespace hive::controller {

ScheduleZones::ScheduleZones(const decide::autoscale::Policy& policy, const std::string& zoneinfo) {
  for (const auto& schedule : policy.schedules) {
    auto zone = schedule.zone == "UTC" ? Result<os::TimeZone>(os::TimeZone())
                                       : os::TimeZone::load(schedule.zone, zoneinfo);
    if (!zone) {
      troubles_.push_back(
          "the time zone " + schedule.zone +
          " cannot be read on this manager, UTC is taken instead (install tzdata): " +
          zone.error().message);
      zone = os::TimeZone();
    }
    zones_.push_back(std::move(*zone));
  }
}

std::vector<int> ScheduleZones::offsets_at(std::int64_t unix_s) const {
  std::vector<int> out;
  for (const auto& zone : zones_) out.push_back(zone.offset_at(unix_s));
  return out;
}

}  // namespace hive::controller
