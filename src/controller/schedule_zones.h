// The time zones of a policy's schedules, as this manager knows them.
#pragma once

#include <string>
#include <vector>

#include "decide/autoscale/policy.h"
#include "os/time_zone.h"

namespace hive::controller {

// The zones of a policy's schedules, in their order.
class ScheduleZones {
 public:
  ScheduleZones() = default;
  // Reads them once. A zone that cannot be read counts as UTC, and is told in troubles().
  ScheduleZones(const decide::autoscale::Policy& policy, const std::string& zoneinfo);
  std::vector<int> offsets_at(std::int64_t unix_s) const;
  const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  std::vector<os::TimeZone> zones_;
  std::vector<std::string> troubles_;  // one plain sentence each
};

}  // namespace hive::controller
