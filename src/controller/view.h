// What dashboards see: the model as JSON, and the JSON of what changed since the last look.
// Field names are those of docs/api.md. Not thread-safe: the controller guards it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "model/cluster.h"
#include "model/routing.h"

namespace hive::controller {

Json node_json(const model::Node& node);
Json service_json(const model::Service& service);
Json task_json(const model::Task& task, const std::string& health);
Json stats_json(const model::EndpointStats& stats);

// Health of a task's container in Docker's words, by task id.
using Healths = std::map<std::string, std::string>;
using StatsByTask = std::map<std::string, model::EndpointStats>;

class View {
 public:
  // Takes the new state; the members "nodes", "services", "tasks" of what changed, each object
  // whole or null when gone. An empty object when nothing did.
  Json update(const model::Snapshot& snapshot, const Healths& healths, std::int64_t now_unix_ms);
  // The changed ones only: {"task": {...}|null}.
  Json update_stats(const StatsByTask& stats);
  // Everything that updates have built up.
  Json whole() const;
  std::size_t tasks() const { return tasks_.size(); }

 private:
  struct SeenTask {
    model::Task task;
    std::string health;
    bool operator==(const SeenTask&) const = default;
  };
  std::map<std::string, model::Node> nodes_;
  std::map<std::string, model::Service> services_;
  std::map<std::string, SeenTask> tasks_;
  StatsByTask stats_;
};

// Swarm keeps dead tasks: those dead for longer than kDeadShownMs are not shown.
inline constexpr std::int64_t kDeadShownMs = 60'000;
inline constexpr std::size_t kMaxDeadShown = 1'000;
bool shown(const model::Task& task, std::int64_t now_unix_ms);

}  // namespace hive::controller
