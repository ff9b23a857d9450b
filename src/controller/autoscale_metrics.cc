#include "controller/autoscale_metrics.h"

#include <algorithm>

#include "controller/routing.h"
#include "net/http_client.h"

namespace hive::controller {
namespace {

using decide::autoscale::kFreshSeconds;

std::uint16_t bound_port(const model::Task& task, std::uint16_t target) {
  for (const auto& port : task.ports)
    if (port.published != 0 && port.protocol == "tcp" && port.mode == model::PublishMode::kHost &&
        (target == 0 || port.target == target))
      return port.published;
  return 0;
}

}  // namespace

std::vector<MetricSource> metric_sources(const config::AutoscaleMetric& metric,
                                         const std::vector<const model::Task*>& serving,
                                         const model::Snapshot& snapshot) {
  if (!metric.query.empty()) {
    std::string server = metric.server;
    while (server.ends_with('/')) server.pop_back();
    return {{server, "/api/v1/query?query=" + net::percent_encode(metric.query), "", {}}};
  }
  std::vector<MetricSource> out;
  const std::string name = metric.metric.empty() ? metric.name : metric.metric;
  for (const model::Task* task : serving) {
    const auto node = snapshot.nodes.find(task->node_id);
    const auto port = bound_port(*task, metric.port);
    if (node == snapshot.nodes.end() || port == 0) continue;
    out.push_back({"http://" + reachable_address(node->second) + ":" + std::to_string(port),
                   metric.path, name, metric.labels});
  }
  return out;
}

MetricSignal metric_signal(const MetricWatch* watch, const std::vector<MetricSource>& sources,
                           std::size_t of, MonotonicTime now) {
  MetricSignal out;
  std::size_t known = 0;
  double sum = 0;
  double oldest = 0;
  double stale_sum = 0;
  double stale_s = 0;
  for (const auto& source : sources) {
    const MetricReading reading = watch == nullptr ? MetricReading{} : watch->read(source);
    if (!reading.trouble.empty()) out.trouble = reading.trouble;
    if (!reading.value) continue;
    const double age = std::chrono::duration<double>(now - reading.at).count();
    if (age > kFreshSeconds) {
      stale_sum += *reading.value;
      stale_s = std::max(stale_s, age);
      continue;
    }
    sum += *reading.value;
    oldest = std::max(oldest, age);
    ++known;
  }
  out.whole = known > 0 && known >= of;
  if (known > 0 && 2 * known >= of)
    out.signal = {sum, oldest};
  else if (stale_s > 0)  // shown with its age, and too old to count
    out.signal = {sum + stale_sum, stale_s};
  if (out.whole || !out.trouble.empty()) return out;
  if (of == 0)
    out.trouble = "no task serves";
  else if (sources.size() < of)
    out.trouble = std::to_string(of - sources.size()) + " of " + std::to_string(of) +
                  " tasks have not published the port on their nodes";
  else if (stale_s > 0)
    out.trouble = "it was so " + std::to_string(static_cast<int>(stale_s)) + " s ago";
  else
    out.trouble = "not all of it was read yet";
  return out;
}

std::optional<cloud::BalancerFigure> figure_of(std::string_view cloudwatch) {
  using cloud::BalancerFigure;
  if (cloudwatch == "RequestCount") return BalancerFigure::kRequests;
  if (cloudwatch == "Latency") return BalancerFigure::kLatency;
  if (cloudwatch == "SurgeQueueLength") return BalancerFigure::kSurgeQueue;
  if (cloudwatch == "SpilloverCount") return BalancerFigure::kSpillover;
  return std::nullopt;
}

MetricSignal balancer_signal(const BalancerWatch* watch, std::string_view cloudwatch,
                             MonotonicTime now) {
  MetricSignal out;
  out.signal.fresh_s = kBalancerFreshSeconds;
  const auto figure = figure_of(cloudwatch);
  const BalancerReading reading =
      watch == nullptr || !figure ? BalancerReading{} : watch->read(*figure);
  out.trouble = reading.trouble;
  if (!reading.value) {
    if (out.trouble.empty()) out.trouble = "the balancer is not asked";
    return out;
  }
  out.signal.value = reading.value;
  out.signal.age_s = std::chrono::duration<double>(now - reading.at).count();
  const bool fresh = out.signal.age_s <= out.signal.fresh_s;
  out.whole = fresh && reading.whole;
  if (!out.trouble.empty() || out.whole) return out;
  out.trouble = fresh
                    ? "the minute may not be whole yet: it is at least this"
                    : "it was so " + std::to_string(static_cast<int>(out.signal.age_s)) + " s ago";
  return out;
}

}  // namespace hive::controller
