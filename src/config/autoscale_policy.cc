#include "config/autoscale_policy.h"

#include <algorithm>

namespace hive::config {
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

// The balancer's minutes.
constexpr double kCloudWatchPeriod = 60;

autoscale::MetricTarget metric_target(const AutoscaleMetric& metric) {
  autoscale::MetricTarget out{.name = metric.name, .per_replica = metric.per_replica};
  if (metric.cloudwatch.empty()) return out;
  out.over_s = kCloudWatchPeriod;
  if (metric.cloudwatch == "Latency") {
    out.use = autoscale::MetricUse::kLimit;
    out.per_replica = seconds(metric.at_most);
  } else if (metric.cloudwatch != "RequestCount") {
    out.use = autoscale::MetricUse::kMore;
  }
  return out;
}

}  // namespace

autoscale::Policy autoscale_policy(const Autoscale& said) {
  autoscale::Policy out;
  out.min = whole(said.min);
  out.max = whole(said.max);
  out.target.requests_per_replica = said.target.requests_per_replica;
  out.target.concurrency = said.target.concurrency;
  out.target.cpu = said.target.cpu;
  out.target.memory = said.target.memory;
  if (said.target.latency) out.target.latency_s = seconds(said.target.latency);
  for (const auto& metric : said.target.metrics)
    out.target.metrics.push_back(metric_target(metric));
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

std::set<std::string> cloudwatch_figures(const Spec& spec) {
  std::set<std::string> out;
  for (const auto& [name, service] : spec.services) {
    if (!service.hive || !service.hive->autoscale) continue;
    for (const auto& metric : service.hive->autoscale->target.metrics)
      if (!metric.cloudwatch.empty()) out.insert(metric.cloudwatch);
  }
  return out;
}

}  // namespace hive::config
