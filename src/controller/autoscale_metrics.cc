#include "controller/autoscale_metrics.h"

#include <algorithm>

#include "controller/routing.h"
#include "net/http_client.h"

namespace hive::controller {
namespace {

using decide::autoscale::kFreshSeconds;

std::uint16_t bound_port(const model::Task& task, std::uint16_t target) {
  for (const auto& port : task.ports)
    if (port.published != 0 && (target == 0 || port.target == target)) return port.published;
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
  if (sources.empty()) {
    out.trouble = "no task that serves has its port published on its node";
    return out;
  }
  double sum = 0;
  std::size_t known = 0;
  double oldest = 0;
  std::optional<double> stale;
  for (const auto& source : sources) {
    const MetricReading reading = watch == nullptr ? MetricReading{} : watch->read(source);
    if (!reading.trouble.empty()) out.trouble = reading.trouble;
    if (!reading.value) continue;
    const double age = std::chrono::duration<double>(now - reading.at).count();
    if (age > kFreshSeconds) {
      stale = std::max(stale.value_or(age), age);
      continue;
    }
    sum += *reading.value;
    oldest = std::max(oldest, age);
    ++known;
  }
  if (known == 0 || 2 * known < of) {
    // What was known is shown with its age, and counts no more.
    out.signal.age_s = stale.value_or(0);
    if (out.trouble.empty()) out.trouble = "it was not read yet";
    return out;
  }
  out.signal = {sum / static_cast<double>(known) * static_cast<double>(of), oldest};
  return out;
}

}  // namespace hive::controller
