#include "controller/rollout_sight.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "controller/agents_sight.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

using decide::rollout::Sight;
using decide::rollout::TaskStage;
using decide::rollout::TaskView;
using decide::rollout::Updater;
using decide::rollout::VersionStats;
using model::Task;
using model::TaskState;

constexpr std::uint64_t kEnoughBeside = 50;  // requests

// Of so many requests at most is an edge's average.
constexpr double kAveraged = 512;

// Of all requests that the edges' averages are of.
struct Mean {
  double sum = 0;
  double weight = 0;
  void add(const model::EndpointStats& stats) {
    if (stats.requests_total == 0) return;
    const double w = std::min(kAveraged, static_cast<double>(stats.requests_total));
    sum += w * stats.response_time_ms;
    weight += w;
  }
  std::uint32_t value() const {
    return weight == 0 ? 0 : static_cast<std::uint32_t>(std::lround(sum / weight));
  }
};

bool node_lost(const World& world, const Task& task) {
  if (task.node_id.empty()) return false;
  const auto node = world.snapshot.nodes.find(task.node_id);
  return node == world.snapshot.nodes.end() || !is_heard(node->second);
}

// Why a task that Swarm calls running does not serve; empty when it does.
std::string not_serving(const World& world, const Task& task, bool& leaving) {
  for (const auto& [node, report] : world.reports) {
    if (lists_task(report.leaving, task.id)) leaving = true;
    for (const auto& container : report.containers)
      if (container.task_id == task.id && container.health == "unhealthy")
        return "its health check fails";
    if (report.edge == "ok" && lists_task(report.not_ready, task.id))
      return "an edge gets no answer from it yet";
  }
  return "";
}

std::string ended_words(const Task& task) {
  if (!task.error.empty()) return task.error;
  if (task.state == TaskState::kComplete) return "it ended by itself";
  return task.message;
}

TaskView view_of(const World& world, const RolloutVersions& versions, const Task& task,
                 bool is_new) {
  TaskView out;
  out.is_new = is_new;
  out.place = task.slot > 0 ? std::to_string(task.slot) : task.node_id;
  out.node_lost = node_lost(world, task);
  out.since_ms = task.state_since_unix_ms;
  const bool ended = task.state == TaskState::kFailed || task.state == TaskState::kRejected ||
                     task.state == TaskState::kComplete;
  const bool failed = ended && (!world.stopped.contains(task.id) || found_unhealthy(task));
  const bool told = task.desired > TaskState::kRunning;
  if (failed && task.created_unix_ms >= versions.begun_unix_ms) {
    out.stage = TaskStage::kFailed;
    out.trouble = ended_words(task);
    return out;
  }
  bool leaving = false;
  if (told || task.state > TaskState::kRunning) {
    out.stage = TaskStage::kLeaving;
    (void)not_serving(world, task, leaving);
    out.lingers = task.state == TaskState::kRunning && !leaving && !out.node_lost;
    return out;
  }
  if (task.state != TaskState::kRunning) {
    out.trouble = task.error.empty() ? task.message : task.error;
    return out;
  }
  out.trouble = not_serving(world, task, leaving);
  out.stage = leaving               ? TaskStage::kLeaving
              : out.trouble.empty() ? TaskStage::kServing
                                    : TaskStage::kStarting;
  if (out.node_lost) out.stage = TaskStage::kStarting;
  return out;
}

}  // namespace

bool is_new_task(const RolloutVersions& versions, const Task& task) {
  if (!versions.canary_id.empty() && task.service_id == versions.canary_id) return true;
  if (versions.kept_digest != 0) return task.template_digest != versions.kept_digest;
  return versions.new_digest != 0 && task.template_digest == versions.new_digest;
}

void RolloutLedger::count(const World& world, const RolloutVersions& versions) {
  Mean mean_old, mean_new;
  const bool beside = new_.requests > 0;
  for (const auto& [node, report] : world.reports) {
    for (const auto& stats : report.stats) {
      const auto task = world.snapshot.tasks.find(stats.task_id);
      if (task == world.snapshot.tasks.end()) continue;
      const bool ours =
          task->second.service_id == versions.service_id ||
          (!versions.canary_id.empty() && task->second.service_id == versions.canary_id);
      if (!ours) continue;
      const bool is_new = is_new_task(versions, task->second);
      (is_new ? mean_new : mean_old).add(stats);
      const Seen now{stats.requests_total, stats.errors_5xx_total + stats.connection_errors_total};
      const auto [seen, fresh] = seen_.try_emplace({node, stats.task_id}, is_new ? Seen{} : now);
      const auto added = [](std::uint64_t before, std::uint64_t after) {
        return after >= before ? after - before : after;
      };
      const auto requests = added(seen->second.requests, now.requests);
      const auto errors = std::min(requests, added(seen->second.errors, now.errors));
      seen->second = now;
      VersionStats& sum = is_new ? new_ : old_;
      sum.requests += requests;
      sum.errors += errors;
      if (is_new || !beside) continue;
      beside_.requests += requests;
      beside_.errors += errors;
    }
  }
  if (mean_new.weight > 0) new_.response_time_ms = mean_new.value();
  if (mean_old.weight > 0) old_.response_time_ms = beside_.response_time_ms = mean_old.value();
}

VersionStats RolloutLedger::old_version() const {
  return beside_.requests >= kEnoughBeside ? beside_ : old_;
}

Sight rollout_sight(const World& world, const RolloutVersions& versions, bool canary) {
  Sight out;
  out.canary = canary;
  out.now_ms = world.now_unix_ms;
  const std::string& id = canary ? versions.canary_id : versions.service_id;
  const auto service = world.snapshot.services.find(id);
  if (service != world.snapshot.services.end()) {
    out.global = service->second.global;
    out.wanted = service->second.replicas;
    const std::string& state = service->second.update_state;
    out.updater_message = service->second.update_message;
    if (state == "updating" || state == "rollback_started") out.updater = Updater::kUpdating;
    if (state == "paused" || state == "rollback_paused") out.updater = Updater::kPaused;
  }
  for (const auto& [task_id, task] : world.snapshot.tasks)
    if (task.service_id == id)
      out.tasks.push_back(view_of(world, versions, task, is_new_task(versions, task)));
  return out;
}

std::vector<std::string> needed_yet(const World& world, const RolloutVersions& versions) {
  const auto service = world.snapshot.services.find(versions.service_id);
  if (service == world.snapshot.services.end() || service->second.global ||
      !service->second.start_first)
    return {};
  std::uint64_t serving = 0;
  std::vector<std::string> told;
  for (const auto& [id, task] : world.snapshot.tasks) {
    if (task.service_id != versions.service_id) continue;
    const bool is_new = is_new_task(versions, task);
    const auto stage = view_of(world, versions, task, is_new).stage;
    if (stage == TaskStage::kServing) ++serving;
    const bool bad = is_new && versions.kept_digest != 0;
    if (stage == TaskStage::kLeaving && task.state == TaskState::kRunning && !bad)
      told.push_back(id);
  }
  return serving < service->second.replicas ? told : std::vector<std::string>{};
}

}  // namespace hive::controller
