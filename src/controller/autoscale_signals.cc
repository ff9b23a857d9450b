#include "controller/autoscale_signals.h"

#include <algorithm>

#include "controller/world_facts.h"

namespace hive::controller {
namespace {

using decide::autoscale::kFreshSeconds;

constexpr double kNano = 1e9;
constexpr double kMilli = 1e3;

double in_seconds(MonotonicTime::duration time) {
  return std::chrono::duration<double>(time).count();
}

double first_of(std::int64_t reservation, std::int64_t limit) {
  return static_cast<double>(reservation > 0 ? reservation : limit);
}

}  // namespace

SignalBook::SignalBook(const World& world, MonotonicTime now, const std::set<std::string>& services,
                       bool settled) {
  sort_tasks(world, services);
  for (const auto& [id, node] : world.snapshot.nodes) {
    if (node.state != model::NodeState::kReady) continue;
    const auto heard = world.reported_at.find(id);
    const auto report = world.reports.find(id);
    const double age_s = heard == world.reported_at.end() ? 0 : in_seconds(now - heard->second);
    if (heard == world.reported_at.end() || report == world.reports.end() ||
        age_s > kFreshSeconds) {
      partial_ = partial_ || heard != world.reported_at.end() || !settled;
      continue;
    }
    if (report->second.edge == "ok")
      ++edges_;
    else
      partial_ = true;
    add_report(report->second, age_s);
  }
}

void SignalBook::sort_tasks(const World& world, const std::set<std::string>& services) {
  const auto conditions = conditions_of(world);
  for (const auto& id : services) {
    Sums& sums = sums_[id];
    if (const auto service = world.snapshot.services.find(id);
        service != world.snapshot.services.end())
      by_name_.emplace(service->second.name, &sums);
  }
  by_task_.reserve(world.snapshot.tasks.size());
  for (const auto& [id, task] : world.snapshot.tasks) {
    const auto found = sums_.find(task.service_id);
    if (found == sums_.end()) continue;
    Sums& sums = found->second;
    TaskPlace& place = by_task_.emplace(id, TaskPlace{&sums, false}).first->second;
    if (task.desired > model::TaskState::kRunning) continue;
    if (task.state == model::TaskState::kPending && task.node_id.empty()) ++sums.unplaced;
    if (task.state != model::TaskState::kRunning) continue;
    if (const auto known = conditions.find(id);
        known != conditions.end() && (!known->second.healthy || known->second.leaving))
      continue;
    sums.serving.push_back(&task);
    place.serves = true;
  }
}

void SignalBook::add_report(const agent::Report& report, double age_s) {
  age_s_ = std::max(age_s_, age_s);
  for (const auto& stats : report.stats) {
    const auto found = by_task_.find(stats.task_id);
    if (found == by_task_.end()) continue;
    Sums& sums = *found->second.sums;
    sums.rate += stats.rate;
    if (report.backends.empty()) sums.came += stats.rate;
    sums.in_flight += stats.in_flight;
    sums.queued += stats.queued;
    sums.latency_weighed += stats.rate * static_cast<double>(stats.response_time_ms) / kMilli;
  }
  for (const auto& stats : report.backends) {
    const auto found = by_name_.find(stats.name);
    if (found == by_name_.end()) continue;
    found->second->came += stats.rate;
    found->second->queued += stats.queued;
  }
  for (const auto& usage : report.usage) {
    const auto found = by_task_.find(usage.task_id);
    if (found == by_task_.end() || !found->second.serves) continue;
    const double age = age_s + static_cast<double>(usage.age_ms) / kMilli;
    if (age > kFreshSeconds) continue;
    Sums& sums = *found->second.sums;
    sums.cores += static_cast<double>(usage.cpu_millicores) / kMilli;
    sums.bytes += static_cast<double>(usage.memory_bytes);
    ++sums.measured;
    sums.measured_age_s = std::max(sums.measured_age_s, age);
  }
}

ServiceSignals SignalBook::of(const model::Service& service) const {
  ServiceSignals out;
  const auto found = sums_.find(service.id);
  if (found == sums_.end()) return out;
  const Sums& sums = found->second;
  out.serving = sums.serving;
  out.unplaced = sums.unplaced;
  out.partial = partial_;
  if (edges_ > 0 && service.labels.contains(kListenersLabel)) {
    out.requests = {sums.came, age_s_};
    out.in_flight = {sums.in_flight + sums.queued, age_s_};
    // What comes now waits until those before it were taken (Little's law).
    if (sums.rate > 0) out.latency_s = {(sums.latency_weighed + sums.queued) / sums.rate, age_s_};
  }
  if (sums.measured == 0 || 2 * sums.measured < static_cast<int>(sums.serving.size())) return out;
  const double cpus = first_of(service.reserved_nano_cpus, service.limit_nano_cpus) / kNano;
  const double bytes = first_of(service.reserved_memory_bytes, service.limit_memory_bytes);
  out.cpu = {sums.cores / sums.measured / (cpus > 0 ? cpus : 1), sums.measured_age_s};
  if (bytes > 0) out.memory = {sums.bytes / sums.measured / bytes, sums.measured_age_s};
  return out;
}

}  // namespace hive::controller
