// Bookkeeping of the fake: what tests do to it, lookups, filters, the engine itself and its nodes.
#include "engine/fake/fake_engine.h"

#include <fmt/core.h>

#include <algorithm>

#include "engine/fake/fake_json.h"

namespace hive::engine::fake {
namespace {

// Whether `labels` has the filter's "key" or "key=value".
bool has_label(const Json* labels, const std::string& wanted) {
  if (labels == nullptr || !labels->is_object()) return false;
  const auto equals = wanted.find('=');
  const auto found = labels->find(wanted.substr(0, equals));
  if (found == labels->end()) return false;
  return equals == std::string::npos || *found == wanted.substr(equals + 1);
}

const Json* labels_of(const Json& object) {
  if (const Json* labels = json_path(object, "Spec.Labels")) return labels;
  return json_member(object, "Labels");
}

// A task's desired state as the filter groups it: everything short of the end counts as running.
bool desired_is(const Json& object, const std::string& wanted) {
  const std::string desired = json_string(object, "DesiredState");
  return wanted == "shutdown" ? desired == "shutdown" || desired == "remove" : desired == wanted;
}

}  // namespace

std::string name_of(const Json& object) {
  for (const char* path : {"Spec.Name", "Name", "Description.Hostname"})
    if (std::string name = json_string(object, path); !name.empty()) return name;
  return {};
}

FakeEngine::FakeEngine(bool in_swarm) {
  if (!in_swarm) return;
  in_swarm_ = true;
  tokens_ = {"SWMTKN-1-manager-0", "SWMTKN-1-worker-0"};
  self_ = add_node("manager-1", model::Role::kManager, "10.0.0.1");
  set_leader(self_);
}

std::string FakeEngine::new_id() { return fmt::format("{:0>25}", fmt::format("{:x}", ++ids_)); }

void FakeEngine::touch(Json& object) {
  object["Version"]["Index"] = next_index();
  object["UpdatedAt"] = kTime;
  if (!object.contains("CreatedAt")) object["CreatedAt"] = kTime;
}

Status FakeEngine::enter(const std::string& method, const std::string& what) {
  calls_.push_back(what.empty() ? method : method + " " + what);
  for (const std::string& key : {method, std::string("*")}) {
    auto& planned = failures_[key];
    if (planned.empty()) continue;
    Error error = planned.front();
    planned.pop_front();
    return tl::unexpected(std::move(error));
  }
  return {};
}

Status FakeEngine::need_manager() const {
  if (in_swarm_) return {};
  return fail(
      Errc::kFailedPrecondition,
      "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" "
      "to connect this node to swarm and try again");
}

Result<Json*> FakeEngine::find(Table& table, const std::string& kind,
                               const std::string& id_or_name) {
  const auto by_id = table.find(id_or_name);
  if (by_id != table.end()) return &by_id->second;
  for (auto& [id, object] : table)
    if (name_of(object) == id_or_name) return &object;
  return fail(Errc::kNotFound, fmt::format("{} {} not found", kind, id_or_name));
}

bool FakeEngine::name_taken(const Table& table, const std::string& name,
                            const std::string& except_id) const {
  return std::any_of(table.begin(), table.end(), [&](const auto& entry) {
    return entry.first != except_id && name_of(entry.second) == name;
  });
}

std::vector<Json> FakeEngine::select(const Table& table, const Filters& filters) const {
  const auto matches = [&](const Json& object, const std::string& key, const std::string& wanted) {
    if (key == "label") return has_label(labels_of(object), wanted);
    if (key == "id")
      return json_string(object, object.contains("ID") ? "ID" : "Id").rfind(wanted, 0) == 0;
    if (key == "name") return name_of(object).rfind(wanted, 0) == 0;
    if (key == "node") return json_string(object, "NodeID") == wanted;
    if (key == "role") return json_string(object, "Spec.Role") == wanted;
    if (key == "status") return json_string(object, "State.Status") == wanted;
    if (key == "driver") return json_string(object, "Driver") == wanted;
    if (key == "desired-state") return desired_is(object, wanted);
    if (key == "service") {
      const std::string id = json_string(object, "ServiceID");
      const auto service = services_.find(id);
      return id == wanted || (service != services_.end() && name_of(service->second) == wanted);
    }
    return true;
  };
  std::vector<Json> found;
  for (const auto& [id, object] : table) {
    const bool fits =
        std::all_of(filters.begin(), filters.end(), [&, &object = object](const auto& filter) {
          const auto& [key, values] = filter;
          const auto one = [&, &key = key](const std::string& value) {
            return matches(object, key, value);
          };
          // Several labels must all be there; of other filters one is enough.
          return key == "label" ? std::all_of(values.begin(), values.end(), one)
                                : values.empty() || std::any_of(values.begin(), values.end(), one);
        });
    if (fits) found.push_back(object);
  }
  return found;
}

Result<std::string> FakeEngine::create_named(Table& table, const std::string& kind,
                                             const Json& spec) {
  const std::string name = json_string(spec, "Name");
  if (name.empty())
    return fail(Errc::kInvalidArgument, fmt::format("{}: name must be provided", kind));
  if (name_taken(table, name, ""))
    return fail(
        Errc::kAlreadyExists,
        fmt::format("{} {} already exists: name conflicts with an existing object", kind, name));
  const std::string id = new_id();
  Json object{{"ID", id}, {"Spec", spec}};
  touch(object);
  table.emplace(id, std::move(object));
  put_event(kind, "create", id, name);
  return id;
}

Status FakeEngine::update_versioned(Table& table, const std::string& kind, const std::string& id,
                                    std::uint64_t version, const Json& spec) {
  HIVE_ASSIGN(Json * object, find(table, kind, id));
  if (static_cast<std::uint64_t>(json_int(*object, "Version.Index")) != version)
    return fail(Errc::kConflict, "update out of sequence");
  (*object)["Spec"] = spec;
  touch(*object);
  put_event(kind, "update", json_string(*object, "ID"), name_of(*object));
  return {};
}

// --- what tests do to it

std::string FakeEngine::add_node(const std::string& hostname, model::Role role,
                                 const std::string& address) {
  const std::lock_guard lock(mutex_);
  std::string id = new_id();
  const std::string at = address.empty() ? fmt::format("10.0.0.{}", nodes_.size() + 1) : address;
  Json node{{"ID", id},
            {"Spec",
             {{"Labels", Json::object()},
              {"Role", std::string(model::to_string(role))},
              {"Availability", "active"}}},
            {"Description",
             {{"Hostname", hostname},
              {"Platform", {{"Architecture", "x86_64"}, {"OS", "linux"}}},
              {"Resources", {{"NanoCPUs", 2'000'000'000}, {"MemoryBytes", 4'294'967'296}}},
              {"Engine", {{"EngineVersion", "20.10.24"}, {"Labels", Json::object()}}}}},
            {"Status", {{"State", "ready"}, {"Addr", at}}}};
  if (role == model::Role::kManager)
    node["ManagerStatus"] = {{"Reachability", "reachable"}, {"Addr", at + ":2377"}};
  touch(node);
  nodes_.emplace(id, std::move(node));
  put_event("node", "create", id, hostname);
  for (auto& [service_id, service] : services_) reconcile(service, false);
  return id;
}

void FakeEngine::set_node_state(const std::string& id, model::NodeState state) {
  const std::lock_guard lock(mutex_);
  const auto node = nodes_.find(id);
  if (node == nodes_.end()) return;
  node->second["Status"]["State"] = std::string(model::to_string(state));
  touch(node->second);
  put_event("node", "update", id, name_of(node->second));
  for (auto& [service_id, service] : services_) reconcile(service, false);
}

void FakeEngine::set_leader(const std::string& id) {
  const std::lock_guard lock(mutex_);
  for (auto& [node_id, node] : nodes_) {
    if (!node.contains("ManagerStatus")) continue;
    node["ManagerStatus"]["Leader"] = node_id == id;
    touch(node);
    put_event("node", "update", node_id, name_of(node));
  }
}

void FakeEngine::hold_tasks(model::TaskState state) {
  const std::lock_guard lock(mutex_);
  hold_ = state;
}

void FakeEngine::keep_list_stale(bool stale) {
  const std::lock_guard lock(mutex_);
  list_is_stale_ = stale;
}

void FakeEngine::fail_next(const std::string& method, const Error& error, int times) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < times; ++i) failures_[method].push_back(error);
}
void FakeEngine::fail_no_more() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
}

std::vector<std::string> FakeEngine::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}
void FakeEngine::clear_calls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}
RegistryAuth FakeEngine::last_auth() const {
  const std::lock_guard lock(mutex_);
  return last_auth_;
}

// --- the engine and its swarm

Result<std::string> FakeEngine::ping() {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("ping"));
  return std::string("1.41");
}

Result<Json> FakeEngine::version() {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("version"));
  return Json{{"Version", "20.10.24"}, {"ApiVersion", "1.41"}, {"MinAPIVersion", "1.12"},
              {"Os", "linux"},         {"Arch", "amd64"},      {"KernelVersion", "6.1.0"}};
}

Result<Json> FakeEngine::info() {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("info"));
  Json swarm{{"NodeID", self_},
             {"LocalNodeState", in_swarm_ ? "active" : "inactive"},
             {"ControlAvailable", in_swarm_},
             {"RemoteManagers", nullptr}};
  if (in_swarm_) {
    Json managers = Json::array();
    int manager_count = 0;
    for (const auto& [id, node] : nodes_) {
      const std::string address = json_string(node, "ManagerStatus.Addr");
      if (address.empty()) continue;
      ++manager_count;
      managers.push_back({{"NodeID", id}, {"Addr", address}});
    }
    const auto self = nodes_.find(self_);
    if (self != nodes_.end()) swarm["NodeAddr"] = json_string(self->second, "Status.Addr");
    swarm["RemoteManagers"] = std::move(managers);
    swarm["Nodes"] = nodes_.size();
    swarm["Managers"] = manager_count;
    swarm["Cluster"] = {{"ID", "fake-cluster"}};
  }
  return Json{{"ID", "FAKE"}, {"Name", "manager-1"},     {"ServerVersion", "20.10.24"},
              {"NCPU", 2},    {"MemTotal", 4294967296u}, {"Swarm", std::move(swarm)}};
}

Result<std::string> FakeEngine::swarm_init(const SwarmInit& request) {
  {
    const std::lock_guard lock(mutex_);
    HIVE_TRY(enter("swarm_init"));
    if (in_swarm_)
      return fail(Errc::kAlreadyExists,
                  "This node is already part of a swarm. Use \"docker swarm "
                  "leave\" to leave this swarm and join another one");
    in_swarm_ = true;
    tokens_ = {"SWMTKN-1-manager-0", "SWMTKN-1-worker-0"};
  }
  self_ = add_node("manager-1", model::Role::kManager, request.advertise_address);
  set_leader(self_);
  return self_;
}

Status FakeEngine::swarm_join(const SwarmJoin& request) {
  {
    const std::lock_guard lock(mutex_);
    HIVE_TRY(enter("swarm_join"));
    if (in_swarm_) return fail(Errc::kAlreadyExists, "This node is already part of a swarm");
    if (request.token.rfind("SWMTKN-", 0) != 0)
      return fail(Errc::kInvalidArgument, "invalid join token");
    in_swarm_ = true;
  }
  self_ = add_node("joined-1", model::Role::kWorker, request.advertise_address);
  return {};
}

Status FakeEngine::swarm_leave(bool force) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("swarm_leave"));
  if (!in_swarm_) return fail(Errc::kFailedPrecondition, "This node is not part of a swarm");
  if (!force)
    return fail(Errc::kFailedPrecondition,
                "You are attempting to leave the swarm on a node that is participating as a "
                "manager; use force");
  in_swarm_ = false;
  self_.clear();
  for (Table* table : {&nodes_, &services_, &tasks_, &configs_, &secrets_}) table->clear();
  return {};
}

Result<Json> FakeEngine::swarm_inspect() {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("swarm_inspect"));
  HIVE_TRY(need_manager());
  return Json{{"ID", "fake-cluster"},
              {"Version", {{"Index", index_}}},
              {"Spec", {{"Name", "default"}}},
              {"TLSInfo",
               {{"TrustRoot", "-----BEGIN CERTIFICATE-----\nfake\n-----END CERTIFICATE-----\n"}}},
              {"JoinTokens", {{"Manager", tokens_.manager}, {"Worker", tokens_.worker}}}};
}

Result<JoinTokens> FakeEngine::join_tokens() {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("join_tokens"));
  HIVE_TRY(need_manager());
  return tokens_;
}

Status FakeEngine::rotate_join_tokens(bool worker, bool manager) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("rotate_join_tokens"));
  HIVE_TRY(need_manager());
  if (worker) tokens_.worker = fmt::format("SWMTKN-1-worker-{}", next_index());
  if (manager) tokens_.manager = fmt::format("SWMTKN-1-manager-{}", next_index());
  return {};
}

Result<std::vector<model::Node>> FakeEngine::list_nodes(const Filters& filters) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("list_nodes"));
  HIVE_TRY(need_manager());
  std::vector<model::Node> out;
  for (const Json& node : select(nodes_, filters)) out.push_back(node_from_json(node));
  return out;
}

Result<Json> FakeEngine::inspect_node(const std::string& id_or_name) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("inspect_node", id_or_name));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* node, find(nodes_, "node", id_or_name == "self" ? self_ : id_or_name));
  return *node;
}

Status FakeEngine::update_node(const std::string& id, std::uint64_t version, const Json& spec) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("update_node", id));
  HIVE_TRY(need_manager());
  const std::string role = json_string(spec, "Role");
  const std::string availability = json_string(spec, "Availability");
  if ((role != "worker" && role != "manager") ||
      (availability != "active" && availability != "pause" && availability != "drain"))
    return fail(Errc::kInvalidArgument,
                fmt::format("invalid role \"{}\" or availability \"{}\"", role, availability));
  HIVE_TRY(update_versioned(nodes_, "node", id, version, spec));
  Json& node = nodes_.at(id);
  if (role == "worker") node.erase("ManagerStatus");
  if (role == "manager" && !node.contains("ManagerStatus"))
    node["ManagerStatus"] = {{"Reachability", "reachable"},
                             {"Addr", json_string(node, "Status.Addr") + ":2377"}};
  for (auto& [service_id, service] : services_) reconcile(service, false);
  return {};
}

Status FakeEngine::remove_node(const std::string& id, bool force) {
  const std::lock_guard lock(mutex_);
  HIVE_TRY(enter("remove_node", id));
  HIVE_TRY(need_manager());
  HIVE_ASSIGN(const Json* node, find(nodes_, "node", id));
  if (node->contains("ManagerStatus"))
    return fail(Errc::kFailedPrecondition,
                fmt::format("node {} is a cluster manager and is a member of the raft cluster. It "
                            "must be demoted to worker before removal",
                            id));
  if (!force && json_string(*node, "Status.State") == "ready")
    return fail(Errc::kFailedPrecondition,
                fmt::format("node {} is not down and can't be removed", id));
  const std::string node_id = json_string(*node, "ID");
  const std::string name = name_of(*node);
  nodes_.erase(node_id);
  put_event("node", "remove", node_id, name);
  for (auto& [service_id, service] : services_) reconcile(service, false);
  return {};
}

}  // namespace hive::engine::fake
