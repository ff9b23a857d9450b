#include "cli/simulate_policy.h"

#include <fmt/core.h>

#include <algorithm>

#include "decide/autoscale/cron.h"
#include "os/time_zone.h"

namespace hive::cli {
namespace {

int whole(std::uint64_t value) {
  return static_cast<int>(std::min<std::uint64_t>(value, 1'000'000));
}
std::optional<int> whole(const std::optional<std::uint64_t>& value) {
  return value ? std::optional(whole(*value)) : std::nullopt;
}
template <typename Duration>
double seconds(const Duration& time) {
  return static_cast<double>(time.count()) / 1e9;
}
template <typename Duration>
double seconds(const std::optional<Duration>& time) {
  return time ? seconds(*time) : 0;
}

}  // namespace

decide::autoscale::Policy simulated_policy(const config::Autoscale& said) {
  decide::autoscale::Policy out{.min = whole(said.min), .max = whole(said.max)};
  out.target.requests_per_replica = said.target.requests_per_replica;
  out.target.cpu = said.target.cpu;
  out.predict = said.predict;
  for (const auto& one : said.schedules) {
    const auto cron = decide::autoscale::parse_cron(one.cron);
    if (!cron) continue;  // refused when the file was read
    out.schedules.push_back({.cron = *cron,
                             .zone = one.zone,
                             .duration_s = static_cast<std::int64_t>(seconds(one.duration)),
                             .min = whole(one.min),
                             .max = whole(one.max)});
  }
  out.out_per_minute = whole(said.out_per_minute);
  out.in_per_minute = whole(said.in_per_minute);
  out.stabilise_in_s = seconds(said.stabilisation_in);
  out.stabilise_out_s = seconds(said.stabilisation_out);
  out.cooldown_in_s = seconds(said.scale_in_cooldown);
  out.cooldown_out_s = seconds(said.scale_out_cooldown);
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
    for (const auto& zone : zones) out.push_back(zone.offset_at(unix_s));
    return out;
  };
}

}  // namespace hive::cli
