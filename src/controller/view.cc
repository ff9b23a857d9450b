#include "controller/view.h"

namespace hive::controller {
namespace {

using model::TaskState;

// Puts into `changes` what differs between `seen` and `now`, and makes `seen` equal to `now`.
template <typename Seen, typename Encode>
Json differences(Seen& seen, Seen now, const Encode& encode) {
  Json changes = Json::object();
  for (const auto& [id, value] : now) {
    const auto before = seen.find(id);
    if (before == seen.end() || !(before->second == value)) changes[id] = encode(value);
  }
  for (const auto& [id, value] : seen)
    if (!now.contains(id)) changes[id] = nullptr;
  seen = std::move(now);
  return changes;
}

// The version index alone is no change to look at.
template <typename T>
std::map<std::string, T> without_versions(std::map<std::string, T> values) {
  for (auto& [id, value] : values) value.version = 0;
  return values;
}

bool alive(const model::Task& task) { return task.state <= TaskState::kRunning; }

}  // namespace

Json node_json(const model::Node& node) {
  return {{"id", node.id},
          {"hostname", node.hostname},
          {"address", node.address},
          {"role", to_string(node.role)},
          {"availability", to_string(node.availability)},
          {"state", to_string(node.state)},
          {"state_message", node.state_message},
          {"leader", node.leader},
          {"manager_reachability", node.manager_reachability},
          {"engine_version", node.engine_version},
          {"nano_cpus", node.nano_cpus},
          {"memory_bytes", node.memory_bytes},
          {"labels", node.labels}};
}

Json service_json(const model::Service& service) {
  Json ports = Json::array();
  for (const auto& port : service.ports)
    ports.push_back({{"protocol", port.protocol},
                     {"target", port.target},
                     {"published", port.published},
                     {"mode", to_string(port.mode)}});
  return {{"id", service.id},
          {"name", service.name},
          {"image", service.image},
          {"global", service.global},
          {"replicas", service.replicas},
          {"ports", std::move(ports)},
          {"labels", service.labels},
          {"update_state", service.update_state},
          {"update_message", service.update_message},
          {"created_unix_ms", service.created_unix_ms},
          {"updated_unix_ms", service.updated_unix_ms}};
}

Json task_json(const model::Task& task, const std::string& health) {
  Json out = {{"id", task.id},
              {"service_id", task.service_id},
              {"node_id", task.node_id},
              {"slot", task.slot},
              {"image", task.image},
              {"state", to_string(task.state)},
              {"desired", to_string(task.desired)},
              {"since_unix_ms", task.state_since_unix_ms}};
  if (!health.empty()) out["health"] = health;
  if (!task.message.empty()) out["message"] = task.message;
  if (!task.error.empty()) out["error"] = task.error;
  if (!alive(task)) out["exit_code"] = task.exit_code;
  for (const auto& port : task.ports)
    out["ports"].push_back({{"target", port.target}, {"published", port.published}});
  return out;
}

Json stats_json(const model::EndpointStats& stats) {
  return {{"in_flight", stats.in_flight},
          {"queued", stats.queued},
          {"rate", stats.rate},
          {"response_time_ms", stats.response_time_ms},
          {"requests_total", stats.requests_total},
          {"errors_5xx_total", stats.errors_5xx_total},
          {"connection_errors_total", stats.connection_errors_total},
          {"bytes_in_total", stats.bytes_in_total},
          {"bytes_out_total", stats.bytes_out_total}};
}

bool shown(const model::Task& task, std::int64_t now_unix_ms) {
  return alive(task) || now_unix_ms - task.state_since_unix_ms < kDeadShownMs;
}

Json View::update(const model::Snapshot& snapshot, const Healths& healths,
                  std::int64_t now_unix_ms) {
  std::map<std::string, SeenTask> tasks;
  std::size_t dead = 0;
  for (const auto& [id, task] : snapshot.tasks) {
    if (!shown(task, now_unix_ms)) continue;
    if (!alive(task) && ++dead > kMaxDeadShown) continue;
    const auto health = healths.find(id);
    auto& seen = tasks[id];
    seen = {task, health == healths.end() ? "" : health->second};
    seen.task.version = 0;
  }
  Json out = Json::object();
  const auto put = [&out](const char* name, Json changes) {
    if (!changes.empty()) out[name] = std::move(changes);
  };
  put("nodes", differences(nodes_, without_versions(snapshot.nodes), node_json));
  put("services", differences(services_, without_versions(snapshot.services), service_json));
  put("tasks", differences(tasks_, std::move(tasks),
                           [](const SeenTask& seen) { return task_json(seen.task, seen.health); }));
  return out;
}

Json View::update_stats(const StatsByTask& stats) {
  auto copy = stats;
  return differences(stats_, std::move(copy), stats_json);
}

Json View::whole() const {
  Json out = {{"nodes", Json::object()},
              {"services", Json::object()},
              {"tasks", Json::object()},
              {"stats", Json::object()}};
  for (const auto& [id, node] : nodes_) out["nodes"][id] = node_json(node);
  for (const auto& [id, service] : services_) out["services"][id] = service_json(service);
  for (const auto& [id, seen] : tasks_) out["tasks"][id] = task_json(seen.task, seen.health);
  for (const auto& [id, stats] : stats_) out["stats"][id] = stats_json(stats);
  return out;
}

}  // namespace hive::controller
