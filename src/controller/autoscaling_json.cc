// What autoscaling says of itself (docs/api.md).
#include <algorithm>

#include "controller/autoscaling.h"

namespace hive::controller {
namespace {

using decide::autoscale::MetricTarget;
using decide::autoscale::MetricUse;
using decide::autoscale::Signal;

Json signal_json(const Signal& signal) {
  if (!signal.value) return {{"value", nullptr}};
  return {{"value", *signal.value},
          {"age_s", signal.age_s},
          {"fresh", signal.age_s >= 0 && signal.age_s <= signal.fresh_s}};
}

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json schedules_json(const decide::autoscale::Policy& policy) {
  Json out = Json::array();
  for (const auto& schedule : policy.schedules)
    out.push_back({{"zone", schedule.zone},
                   {"duration_s", schedule.duration_s},
                   {"min", optional_json(schedule.min)},
                   {"max", optional_json(schedule.max)}});
  return out;
}

// What it asks for: portions of a load, more replicas, or a limit in seconds.
Json metric_json(const MetricTarget& metric) {
  switch (metric.use) {
    case MetricUse::kShare:
      break;
    case MetricUse::kMore:
      return {{"name", metric.name}, {"one_more_per", metric.per_replica}};
    case MetricUse::kLimit:
      return {{"name", metric.name}, {"at_most_s", metric.per_replica}};
  }
  return {{"name", metric.name}, {"per_replica", metric.per_replica}};
}

Json targets_json(const decide::autoscale::Target& target) {
  Json metrics = Json::array();
  for (const auto& metric : target.metrics) metrics.push_back(metric_json(metric));
  return {{"requests_per_replica", optional_json(target.requests_per_replica)},
          {"concurrency", optional_json(target.concurrency)},
          {"cpu", optional_json(target.cpu)},
          {"memory", optional_json(target.memory)},
          {"latency_s", optional_json(target.latency_s)},
          {"metrics", std::move(metrics)}};
}

Json policy_json(const decide::autoscale::Policy& policy, bool dry_run) {
  return {{"min", policy.min},
          {"max", policy.max},
          {"predict", policy.predict},
          {"dry_run", dry_run},
          {"target", targets_json(policy.target)},
          {"out_per_minute", optional_json(policy.out_per_minute)},
          {"in_per_minute", optional_json(policy.in_per_minute)},
          {"stabilisation_in_s", policy.stabilise_in_s},
          {"stabilisation_out_s", policy.stabilise_out_s},
          {"scale_in_cooldown_s", policy.cooldown_in_s},
          {"scale_out_cooldown_s", policy.cooldown_out_s},
          {"schedules", schedules_json(policy)}};
}

Json metrics_json(const decide::autoscale::Policy& policy, const decide::autoscale::View& view,
                  const std::vector<std::string>& troubles) {
  Json out = Json::array();
  for (std::size_t i = 0; i < std::min(policy.target.metrics.size(), view.metrics.size()); ++i) {
    Json one = signal_json(view.metrics[i]);
    one.update(metric_json(policy.target.metrics[i]));
    one["trouble"] = i < troubles.size() ? troubles[i] : "";
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Json Autoscaling::entry_json(const Entry& entry) const {
  const auto& view = entry.view;
  const auto& decision = entry.decision;
  const char* state = "active";
  if (view.paused)
    state = "paused";
  else if (entry.dry_run)
    state = "dry-run";
  else if (decision.held)
    state = "held";
  return {{"service", entry.name},
          {"id", entry.id},
          {"state", state},
          {"replicas", entry.there},
          {"ready", view.ready},
          {"waiting", std::max(0, entry.promised - entry.there)},
          {"unplaced", entry.signals.unplaced},
          {"wanted", decision.wanted},
          {"min", decision.bounds.min},
          {"max", decision.bounds.max},
          {"scheduled", decision.bounds.scheduled},
          {"load", decision.load},
          {"expected", decision.expected},
          {"capacity", decision.capacity > 0 ? Json(decision.capacity) : Json(nullptr)},
          {"concurrency", decision.concurrency > 0 ? Json(decision.concurrency) : Json(nullptr)},
          {"lead_s", view.lead_s},
          {"lead_measured", entry.lead.measured()},
          {"reason", decision.reason},
          {"paused", entry.paused},
          {"trouble", entry.trouble},
          {"zone_troubles", entry.zones.troubles()},
          {"decided_unix_ms", entry.decided_unix_ms},
          {"decided_age_s", std::chrono::duration<double>(clock_.now() - entry.decided_at).count()},
          {"scaled_out", entry.scaled_out},
          {"scaled_in", entry.scaled_in},
          {"signals",
           {{"requests", signal_json(view.requests)},
            {"in_flight", signal_json(view.in_flight)},
            {"latency_s", signal_json(view.latency_s)},
            {"cpu", signal_json(view.cpu)},
            {"memory", signal_json(view.memory)},
            {"metrics", metrics_json(entry.policy, view, entry.metric_troubles)},
            {"partial", view.partial}}},
          {"policy", policy_json(entry.policy, entry.dry_run)}};
}

}  // namespace hive::controller
