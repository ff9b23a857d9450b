#include "controller/node_orders.h"

#include <fmt/core.h>

#include <algorithm>

#include "controller/world_facts.h"

namespace hive::controller {
namespace {

using model::NodeState;
using model::Service;
using model::Task;
using model::TaskState;

// So long an edge has time to take a table with a new task.
constexpr Milliseconds kEdgesLate{3'000};

// A rollback has an order of its own: where it stops first, no replacement comes while the old task
// serves on, and waiting for one would only delay the rollback.
bool updates_start_first(const Service& service) {
  if (service.global) return false;
  if (service.update_state == "updating") return service.start_first;
  return service.update_state == "rollback_started" && service.rollback_start_first;
}

bool in_table(const model::RoutingTable& table, const std::string& task_id) {
  for (const auto& backend : table.backends)
    for (const auto& endpoint : backend.endpoints)
      if (endpoint.task_id == task_id) return true;
  return false;
}

bool has_table(const OrdersInput& input, const AgentSight& agent, std::uint64_t revision) {
  return agent.fresh && agent.report.controller_node_id == input.table.controller_node_id &&
         agent.report.revision_applied >= revision;
}

// An edge that is late would be told of the new task and of the old one's leave in one: it lets the
// old one go at once, and has not yet seen the new one answer.
bool all_edges_told(const OrdersInput& input, const Task& task) {
  const auto in = input.in_since.find(task.id);
  if (in == input.in_since.end() || input.now - in->second.at >= kEdgesLate) return true;
  return std::all_of(input.agents.begin(), input.agents.end(), [&](const auto& one) {
    return !one.second.fresh || has_table(input, one.second, in->second.revision);
  });
}

bool is_ready(const OrdersInput& input, const Task& task) {
  if (task.state != TaskState::kRunning || task.desired != TaskState::kRunning) return false;
  if (!all_edges_told(input, task)) return false;
  for (const auto& [node, agent] : input.agents) {
    if (!agent.fresh) continue;
    if (lists_task(agent.report.not_ready, task.id) || lists_task(agent.report.leaving, task.id))
      return false;
    for (const auto& container : agent.report.containers)
      if (container.task_id == task.id &&
          (container.health == "unhealthy" || container.state == "exited"))
        return false;
  }
  return true;
}

// Somebody drains the node: Swarm starts replacements only as the old tasks end, so a second
// instance is started meanwhile (the operation node_drain) where the service allows one.
bool surges_on_drain(const Service& service, const model::Node& node) {
  return node.availability == model::Availability::kDrain && service.start_first &&
         !service.global && !service.storage_by_slot;
}

std::uint64_t floor_of(const OrdersInput& input, const Service& service, const model::Node* node) {
  const auto found = input.floors.find(service.id);
  if (found != input.floors.end()) return found->second;
  const bool surges = node != nullptr && surges_on_drain(service, *node);
  return updates_start_first(service) || surges ? service.replicas : 0;
}

// Swarm took the task for lost with its node, which it did not hear from, and both the end of the
// old and the begin of the new one come as soon as it does again. Who stops first wants that.
bool awaits_successor(const OrdersInput& input, const Service& service, const Task& task) {
  if (!service.start_first || service.global || service.storage_by_slot || task.slot == 0 ||
      task.desired != TaskState::kShutdown)
    return false;
  return std::any_of(input.snapshot.tasks.begin(), input.snapshot.tasks.end(),
                     [&](const auto& one) {
                       const Task& other = one.second;
                       return other.service_id == task.service_id && other.slot == task.slot &&
                              other.id != task.id && other.desired == TaskState::kRunning &&
                              !is_ready(input, other);
                     });
}

std::string seconds_text(std::int64_t ms) {
  return fmt::format("{:.1f} s", static_cast<double>(ms) / 1'000);
}

}  // namespace

std::uint64_t ready_tasks(const OrdersInput& input, const std::string& service_id) {
  std::uint64_t count = 0;
  for (const auto& [id, task] : input.snapshot.tasks)
    if (task.service_id == service_id && is_ready(input, task)) ++count;
  return count;
}

std::vector<std::string> edges_behind(const OrdersInput& input, const std::string& task_id) {
  std::vector<std::string> behind;
  const auto out = input.out_since.find(task_id);
  const bool routed = out == input.out_since.end() && in_table(input.table, task_id);
  // A task that this controller never had in its table may be in its predecessor's.
  const std::uint64_t revision = out == input.out_since.end() ? 1 : out->second;
  for (const auto& [id, node] : input.snapshot.nodes) {
    const auto agent = input.agents.find(id);
    const bool heard = agent != input.agents.end() && agent->second.fresh;
    // The edge of a node that Swarm does not hear from may serve on.
    if (node.state != NodeState::kReady && !heard) continue;
    const bool told = heard && has_table(input, agent->second, revision);
    if (routed || !told) behind.push_back(node.hostname);
  }
  return behind;
}

agent::NodeOrders orders_of(const OrdersInput& input, const std::string& node_id) {
  agent::NodeOrders orders;
  orders.controller_node_id = input.table.controller_node_id;
  const auto node = input.snapshot.nodes.find(node_id);
  const model::Node* here = node == input.snapshot.nodes.end() ? nullptr : &node->second;
  if (here != nullptr) {
    orders.node_name = here->hostname;
    orders.schedulable = here->availability == model::Availability::kActive;
  }
  std::map<std::string, bool> await;  // by service
  for (const auto& [id, task] : input.snapshot.tasks) {
    if (task.node_id != node_id || task.state > TaskState::kRunning) continue;
    const auto service = input.snapshot.services.find(task.service_id);
    agent::TaskOrders& out = orders.tasks[id];
    out.service_id = task.service_id;
    out.slot = task.slot;
    out.desired_running = task.desired == TaskState::kRunning;
    out.edges_behind = edges_behind(input, id);
    out.routed = !out.edges_behind.empty();
    out.await_replacement = input.awaiting.contains(id);
    if (service == input.snapshot.services.end()) continue;
    const auto [awaits, fresh] = await.try_emplace(task.service_id, false);
    if (fresh) {
      const std::uint64_t floor = floor_of(input, service->second, here);
      awaits->second = floor > 0 && ready_tasks(input, task.service_id) < floor;
      const ServicePolicies policies = input.policies(service->second);
      orders.services[task.service_id] = {service->second.name, policies.stop, policies.logs,
                                          service->second.stop_grace_ms};
    }
    out.await_replacement =
        out.await_replacement || awaits->second || awaits_successor(input, service->second, task);
  }
  for (const agent::StopOrder& stop : input.stops)
    if (orders.tasks.contains(stop.task_id)) orders.stops.push_back(stop);
  return orders;
}

std::string stop_sentence(const model::StopRecord& record, std::uint64_t requests) {
  std::string out = record.by.empty() ? "stopped" : record.by;
  if (!record.reason.empty()) out += " (" + record.reason + ")";
  out +=
      "; " + seconds_text(std::max<std::int64_t>(record.ended_unix_ms - record.started_unix_ms, 0));
  std::string steps;
  for (std::size_t i = 0; i + 1 < model::kStopSteps; ++i)
    if (record.took_ms[i] >= 50)
      steps += fmt::format("{} {} {}", steps.empty() ? ":" : ",",
                           model::to_string(static_cast<model::StopStep>(i)),
                           seconds_text(record.took_ms[i]));
  out += steps;
  if (record.connections_at_start > 0)
    out += fmt::format("; {} connections were open when it began", record.connections_at_start);
  if (requests > 0) out += fmt::format("; {} requests finished", requests);
  if (record.bytes_delivered > 0)
    out += fmt::format("; {} log bytes are safe", record.bytes_delivered);
  for (const std::string& sentence : record.given_up) out += "; given up: " + sentence;
  return out;
}

}  // namespace hive::controller
