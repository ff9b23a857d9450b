// Services and their tasks in the fake: specs as written, a task a slot, replacement on another
// node when one goes down.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "engine/fake/fake_engine.h"
#include "engine/fake/fake_json.h"

namespace hive::engine::fake {
namespace {

constexpr int kFirstDynamicPort = 32768;

bool is_global(const Json& service) { return json_path(service, "Spec.Mode.Global") != nullptr; }

// One placement constraint, "node.role == manager"; unknown left sides match no node, as in Swarm.
bool satisfies(const Json& node, const std::string& constraint) {
  const bool equal = constraint.find("==") != std::string::npos;
  const auto at = constraint.find(equal ? "==" : "!=");
  if (at == std::string::npos) return false;
  const auto trim = [](std::string text) {
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  const std::string key = trim(constraint.substr(0, at));
  const std::string wanted = trim(constraint.substr(at + 2));
  std::string value;
  constexpr std::string_view kLabels = "node.labels.";
  if (key == "node.id") value = json_string(node, "ID");
  if (key == "node.hostname") value = json_string(node, "Description.Hostname");
  if (key == "node.role") value = json_string(node, "Spec.Role");
  if (key.rfind(kLabels, 0) == 0) {
    const Json* labels = json_path(node, "Spec.Labels");
    const Json* label =
        labels == nullptr ? nullptr : json_member(*labels, key.substr(kLabels.size()));
    value = label != nullptr && label->is_string() ? label->get<std::string>() : "";
  }
  return (value == wanted) == equal;
}

bool admitted(const Json& node, const Json& service) {
  const Json* constraints = json_path(service, "Spec.TaskTemplate.Placement.Constraints");
  if (constraints == nullptr || !constraints->is_array()) return true;
  return std::all_of(constraints->begin(), constraints->end(), [&](const Json& constraint) {
    return constraint.is_string() && satisfies(node, constraint.get<std::string>());
  });
}

// A new task is placed on nodes that are ready; one that is there stays while its node is not down,
// also where Swarm does not know yet (its leader has changed).
bool fits(const Json& node, const Json& service) {
  return json_string(node, "Status.State") == "ready" && admitted(node, service);
}

bool keeps(const Json& node, const Json& service) {
  return json_string(node, "Status.State") != "down" && admitted(node, service);
}

bool final_state(const Json& task) {
  return model::task_state_from(json_string(task, "Status.State")) > model::TaskState::kRunning;
}

// Whether Swarm replaces a task that ended so.
bool restarts(const Json& service, const Json& task) {
  const std::string condition =
      json_string(service, "Spec.TaskTemplate.RestartPolicy.Condition", "any");
  if (condition == "none") return false;
  return condition != "on-failure" || json_string(task, "Status.State") != "complete";
}

void shut_down(Json& task) {
  task["DesiredState"] = "shutdown";
  task["Status"]["State"] = "shutdown";
  task["Status"]["Timestamp"] = kTime;
}

}  // namespace

bool FakeEngine::live(const Json& task) const {
  return json_string(task, "DesiredState") == "running" && !final_state(task);
}

std::vector<std::string> FakeEngine::wanted_nodes(const Json& service) const {
  std::vector<std::string> ids;
  for (const auto& [id, node] : nodes_)
    if (fits(node, service) && json_string(node, "Spec.Availability") != "drain") ids.push_back(id);
  return ids;
}

std::string FakeEngine::pick_node(const Json& service) const {
  const std::string service_id = json_string(service, "ID");
  std::string best;
  std::pair<int, int> best_load{0, 0};
  for (const std::string& id : wanted_nodes(service)) {
    if (json_string(nodes_.at(id), "Spec.Availability") != "active") continue;
    std::pair<int, int> load{0, 0};  // tasks of this service, then of all
    for (const auto& [task_id, task] : tasks_) {
      if (json_string(task, "NodeID") != id || !live(task)) continue;
      ++load.second;
      if (json_string(task, "ServiceID") == service_id) ++load.first;
    }
    if (!best.empty() && load >= best_load) continue;
    best = id;
    best_load = load;
  }
  return best;
}

void FakeEngine::add_task(const Json& service, std::int64_t slot, const std::string& node_id) {
  const std::string id = new_id();
  const std::string container = new_id() + new_id();
  Json task{{"ID", id},
            {"CreatedAt", kTime},
            {"Spec", service["Spec"].value("TaskTemplate", Json::object())},
            {"ServiceID", json_string(service, "ID")},
            {"DesiredState", "running"},
            {"Status", {{"Timestamp", kTime}}}};
  if (const Json* labels = json_path(service, "Spec.Labels")) task["Labels"] = *labels;
  if (slot > 0) task["Slot"] = slot;
  if (node_id.empty()) {
    task["Status"]["State"] = "pending";
    task["Status"]["Message"] = "pending task scheduling";
    task["Status"]["Err"] = "no suitable node";
  } else {
    task["NodeID"] = node_id;
    task["Status"]["State"] = std::string(model::to_string(hold_));
    task["Status"]["ContainerStatus"] = {{"ContainerID", container}, {"ExitCode", 0}};
    Json ports = Json::array();
    const Json* published = json_path(service, "Spec.EndpointSpec.Ports");
    for (const Json& port : published != nullptr ? *published : Json::array()) {
      if (json_string(port, "PublishMode") != "host") continue;
      Json bound = port;
      if (json_int(port, "PublishedPort") == 0)
        bound["PublishedPort"] = kFirstDynamicPort + static_cast<int>(ids_ % 28'000);
      ports.push_back(std::move(bound));
    }
    task["Status"]["PortStatus"] = {{"Ports", std::move(ports)}};
  }
  touch(task);
  tasks_.emplace(id, std::move(task));
}

// Makes the service's tasks what Swarm would make of them. `replace`: the template changed.
void FakeEngine::reconcile(Json& service, bool replace) {
  const std::string service_id = json_string(service, "ID");
  const bool global = is_global(service);
  std::set<std::int64_t> kept_slots, done_slots;
  std::set<std::string> kept_nodes, done_nodes;
  const std::int64_t replicas = json_int(service, "Spec.Mode.Replicated.Replicas", 1);
  std::vector<std::string> removed;
  for (auto& [id, task] : tasks_) {
    if (json_string(task, "ServiceID") != service_id ||
        json_string(task, "DesiredState") != "running")
      continue;
    const std::string node_id = json_string(task, "NodeID");
    const std::int64_t slot = json_int(task, "Slot");
    const auto node = nodes_.find(node_id);
    const bool waits = node_id.empty();
    const bool node_gone = !waits && (node == nodes_.end() || !keeps(node->second, service));
    const bool drained =
        node != nodes_.end() && json_string(node->second, "Spec.Availability") == "drain";
    if (final_state(task)) {
      task["DesiredState"] = "shutdown";
      touch(task);
      if (restarts(service, task)) continue;
      done_slots.insert(slot);
      done_nodes.insert(node_id);
    } else if (!global && (slot > replicas || waits)) {
      removed.push_back(id);  // scaled in, or scheduled anew below
    } else if (node_gone || drained || replace) {
      // A task on a node that is down keeps its last known state: nobody can tell.
      if (node_gone)
        task["DesiredState"] = "shutdown";
      else
        shut_down(task);
      touch(task);
    } else {
      kept_slots.insert(slot);
      kept_nodes.insert(node_id);
    }
  }
  for (const std::string& id : removed) tasks_.erase(id);
  if (global) {
    for (const std::string& node_id : wanted_nodes(service))
      if (kept_nodes.count(node_id) == 0 && done_nodes.count(node_id) == 0)
        add_task(service, 0, node_id);
    return;
  }
  for (std::int64_t slot = 1; slot <= replicas; ++slot)
    if (kept_slots.count(slot) == 0 && done_slots.count(slot) == 0)
      add_task(service, slot, pick_node(service));
}

void FakeEngine::set_task_state(const std::string& id, model::TaskState state,
                                const std::string& error) {
  const std::lock_guard lock(mutex_);
  const auto task = tasks_.find(id);
  if (task == tasks_.end()) return;
  task->second["Status"]["State"] = std::string(model::to_string(state));
  if (!error.empty()) task->second["Status"]["Err"] = error;
  touch(task->second);
  const auto service = services_.find(json_string(task->second, "ServiceID"));
  if (service != services_.end()) reconcile(service->second, false);
}

Status FakeEngine::check_service_spec(const Json& spec, const std::string& except_id) const {
  const std::string name = json_string(spec, "Name");
  if (json_string(spec, "TaskTemplate.ContainerSpec.Image").empty())
    return fail(Errc::kInvalidArgument, "ContainerSpec: image reference must be provided");
  if (name_taken(services_, name, except_id))
    return fail(Errc::kAlreadyExists, "name conflicts with an existing object");
  // Two services cannot publish one port through the mesh.
  std::set<std::pair<std::string, std::int64_t>> taken;
  for (const auto& [id, service] : services_) {
    const Json* ports = json_path(service, "Spec.EndpointSpec.Ports");
    if (id == except_id || ports == nullptr) continue;
    for (const Json& port : *ports)
      if (json_string(port, "PublishMode", "ingress") == "ingress")
        taken.emplace(json_string(port, "Protocol", "tcp"), json_int(port, "PublishedPort"));
  }
  const Json* ports = json_path(spec, "EndpointSpec.Ports");
  if (ports == nullptr) return {};
  for (const Json& port : *ports) {
    const std::int64_t published = json_int(port, "PublishedPort");
    if (json_string(port, "PublishMode", "ingress") == "ingress" && published != 0 &&
        taken.count({json_string(port, "Protocol", "tcp"), published}) != 0)
      return fail(Errc::kInvalidArgument,
                  fmt::format("port '{}' is already in use by another service as an ingress port",
                              published));
  }
  return {};
}

Result<std::vector<model::Service>> FakeEngine::list_services(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_services"));
  HIVE_TRY(need_manager());
  std::vector<model::Service> out;
  for (const Json& service : select(services_, filters)) out.push_back(service_from_json(service));
  return out;
}

Result<std::vector<Json>> FakeEngine::list_services_json(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_services_json"));
  HIVE_TRY(need_manager());
  return select(services_, filters);
}

Result<Json> FakeEngine::inspect_service(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_service", id_or_name));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* service, find(services_, "service", id_or_name));
  return *service;
}

Result<ServiceWriteResult> FakeEngine::create_service(const Json& spec,
                                                      const ServiceWriteOptions& options) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("create_service", json_string(spec, "Name")));
  HIVE_TRY(need_manager());
  HIVE_TRY(check_service_spec(spec, ""));
  Json named = spec;
  if (json_string(spec, "Name").empty()) named["Name"] = "nameless_" + new_id();
  HIVE_ASSIGN(const std::string id, create_named(services_, "service", named));
  last_auth_ = options.auth;
  reconcile(services_.at(id), false);
  return ServiceWriteResult{id, {}};
}

Result<ServiceWriteResult> FakeEngine::update_service(const std::string& id, std::uint64_t version,
                                                      const Json& spec,
                                                      const ServiceWriteOptions& options) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("update_service", id));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(Json * service, find(services_, "service", id));
  const std::string own_id = json_string(*service, "ID");
  const Json before = (*service)["Spec"];
  Json next = spec;
  if (options.rollback_to_previous) {
    if (!service->contains("PreviousSpec"))
      return fail(Errc::kFailedPrecondition,
                  fmt::format("service {} does not have a previous spec", id));
    next = (*service)["PreviousSpec"];
  }
  if (name_of(*service) != json_string(next, "Name"))
    return fail(Errc::kUnsupported, "renaming services is not supported");
  HIVE_TRY(check_service_spec(next, own_id));
  HIVE_TRY(update_versioned(services_, "service", own_id, version, next));
  (*service)["PreviousSpec"] = before;
  const bool replace = before.value("TaskTemplate", Json()) != next.value("TaskTemplate", Json()) ||
                       before.value("EndpointSpec", Json()) != next.value("EndpointSpec", Json());
  if (replace)
    (*service)["UpdateStatus"] = {
        {"State", options.rollback_to_previous ? "rollback_completed" : "completed"},
        {"StartedAt", kTime},
        {"CompletedAt", kTime},
        {"Message", options.rollback_to_previous ? "rollback completed" : "update completed"}};
  if (!options.auth.empty()) last_auth_ = options.auth;
  reconcile(*service, replace);
  return ServiceWriteResult{own_id, {}};
}

Status FakeEngine::remove_service(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_service", id_or_name));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* service, find(services_, "service", id_or_name));
  const std::string id = json_string(*service, "ID");
  const std::string name = name_of(*service);
  for (auto task = tasks_.begin(); task != tasks_.end();)
    task = json_string(task->second, "ServiceID") == id ? tasks_.erase(task) : std::next(task);
  services_.erase(id);
  put_event("service", "remove", id, name);
  return {};
}

Result<std::vector<model::Task>> FakeEngine::list_tasks(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_tasks"));
  HIVE_TRY(need_manager());
  std::vector<model::Task> out;
  for (const Json& task : select(tasks_, filters)) out.push_back(task_from_json(task));
  return out;
}

Result<Json> FakeEngine::inspect_task(const std::string& id) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_task", id));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* task, find(tasks_, "task", id));
  return *task;
}

}  // namespace hive::engine::fake
