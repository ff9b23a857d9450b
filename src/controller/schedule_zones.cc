#include "controller/autoscale_policy.h"

#include <algorithm>

namespace hive::controller {
namespace {

namespace autoscale = decide::autoscale;

double seconds(std::optional<std::chrono::nanoseconds> time) {
  return time ? std::chrono::duration<double>(*time).count() : 0;
}

int whole(std::uint64_t value) {
  return static_cast<int>(std::min<std::uint64_t>(value, 1'000'000));
}

std::optional<int> whole(std::optional<std::uint64_t> value) {
  return value ? std::optional(whole(*value)) : std::nullopt;
}

}  // namespace

autoscale::Policy autoscale_policy(const config::Autoscale& said) {
  autoscale::Policy out;
  out.min = whole(said.min);
  out.max = whole(said.max);
  out.target.requests_per_replica = said.target.requests_per_replica;
  out.target.concurrency = said.target.concurrency;
  out.target.cpu = said.target.cpu;
  out.target.memory = said.target.memory;
  if (said.target.latency) out.target.latency_s = seconds(said.target.latency);
  out.predict = said.predict;
  for (const auto& schedule : said.schedules) {
    const auto cron = autoscale::parse_cron(schedule.cron);
    if (!cron) continue;  // the label was checked when it was written
    out.schedules.push_back({.cron = *cron,
                             .zone = schedule.zone,
                             .duration_s = static_cast<std::int64_t>(seconds(schedule.duration)),
                             .min = whole(schedule.min),
                             .max = whole(schedule.max)});
  }
  out.out_per_minute = whole(said.out_per_minute);
  out.in_per_minute = whole(said.in_per_minute);
  out.stabilise_in_s = seconds(said.stabilisation_in);
  out.stabilise_out_s = seconds(said.stabilisation_out);
  out.cooldown_in_s = seconds(said.scale_in_cooldown);
  out.cooldown_out_s = seconds(said.scale_out_cooldown);
  return out;
}

ScheduleZones::ScheduleZones(const autoscale::Policy& policy, const std::string& zoneinfo) {
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
