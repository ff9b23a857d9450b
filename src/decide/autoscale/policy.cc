#include "decide/autoscale/policy.h"

#include <algorithm>

namespace hive::decide::autoscale {
namespace {

// Whether one of the schedule's beginnings lies within its duration before the
// moment.
bool holds(const Schedule& schedule, std::int64_t local) {
  const std::int64_t minute = local - ((local % kMinute) + kMinute) % kMinute;
  for (std::int64_t begin = minute; begin > local - schedule.duration_s; begin -= kMinute)
    if (schedule.cron.matches(begin)) return true;
  return false;
}

}  // namespace

Bounds bounds_at(const Policy& policy, std::int64_t unix_s, const std::vector<int>& offset_s) {
  std::optional<int> min;
  std::optional<int> max;
  for (std::size_t i = 0; i < policy.schedules.size(); ++i) {
    const Schedule& schedule = policy.schedules[i];
    const int offset = i < offset_s.size() ? offset_s[i] : 0;
    if (!holds(schedule, unix_s + offset)) continue;
    if (schedule.min) min = std::max(min.value_or(1), *schedule.min);
    if (schedule.max) max = std::min(max.value_or(*schedule.max), *schedule.max);
  }
  Bounds out{.min = min.value_or(policy.min), .max = max.value_or(policy.max)};
  out.max = std::max(out.min, out.max);
  out.scheduled = min.has_value() || max.has_value();
  return out;
}

}  // namespace hive::decide::autoscale
