// A Swarm in memory behind the Engine port, for unit tests: version indexes and conflicts, unique
// names, specs stored as they were written, a task for each replica placed on active ready nodes.
//
// Nothing happens by itself: tasks of a new or updated service run at once (or stay where
// hold_tasks() put them), and tests move nodes and tasks by the calls below. What it answers is
// held to the real engine's behaviour by engine/testing/contract_suite.h.
// Safe to use from several threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace hive::engine::fake {

class FakeEngine final : public Engine {
 public:
  // No swarm yet, unless `in_swarm`: then one manager, "manager-1", this engine's own and leader.
  explicit FakeEngine(bool in_swarm = true);

  // --- what tests do to it
  // Adds a node, ready and active; returns its id. Tasks of global services appear on it.
  std::string add_node(const std::string& hostname, model::Role role = model::Role::kWorker,
                       const std::string& address = "");
  // Down: its tasks are replaced elsewhere. By id.
  void set_node_state(const std::string& id, model::NodeState state);
  void set_leader(const std::string& id);
  // From now on new tasks stay in this state (kRunning by default).
  void hold_tasks(model::TaskState state);
  // Moves one task; a final state makes Swarm's replacement appear.
  void set_task_state(const std::string& id, model::TaskState state, const std::string& error = "");
  // The next `times` calls of the method ("update_service", "*" = any) fail with the error.
  void fail_next(const std::string& method, const Error& error, int times = 1);
  // Failures that were ordered and did not happen yet are called off.
  void fail_no_more();
  // Calls made so far, in order: "create_service web".
  std::vector<std::string> calls() const;
  void clear_calls();
  // While true, containers that ended stay "running" in the list: Docker tells of an end before its
  // list knows.
  void keep_list_stale(bool stale);
  // Makes the reference known to inspect_image and list_images; returns its id.
  std::string add_image(const std::string& reference, const Json& details = Json::object());
  // Lines that the log calls hand out for a service, task or container.
  void add_log(const std::string& id, LogLine line);
  void emit(Event event);
  // Ends the event connection, as a restarted engine does: receivers get a relist.
  void drop_event_connections();
  // The auth of the last service write, pull or push.
  RegistryAuth last_auth() const;

  // --- Engine
  Result<std::string> ping() override;
  Result<Json> version() override;
  Result<Json> info() override;
  Result<std::string> swarm_init(const SwarmInit& request) override;
  Status swarm_join(const SwarmJoin& request) override;
  Status swarm_leave(bool force) override;
  Result<Json> swarm_inspect() override;
  Result<JoinTokens> join_tokens() override;
  Status rotate_join_tokens(bool worker, bool manager) override;
  Result<std::vector<model::Node>> list_nodes(const Filters& filters) override;
  Result<Json> inspect_node(const std::string& id_or_name) override;
  Status update_node(const std::string& id, std::uint64_t version, const Json& spec) override;
  Status remove_node(const std::string& id, bool force) override;
  Result<std::vector<model::Service>> list_services(const Filters& filters) override;
  Result<std::vector<Json>> list_services_json(const Filters& filters) override;
  Result<Json> inspect_service(const std::string& id_or_name) override;
  // This engine has no defaults to put in.
  Result<Json> inspect_service_with_defaults(const std::string& id_or_name) override {
    return inspect_service(id_or_name);
  }
  Result<ServiceWriteResult> create_service(const Json& spec,
                                            const ServiceWriteOptions& options) override;
  Result<ServiceWriteResult> update_service(const std::string& id, std::uint64_t version,
                                            const Json& spec,
                                            const ServiceWriteOptions& options) override;
  Status remove_service(const std::string& id_or_name) override;
  Result<std::vector<model::Task>> list_tasks(const Filters& filters) override;
  Result<Json> inspect_task(const std::string& id) override;
  Result<std::vector<Json>> list_configs(const Filters& filters) override;
  Result<std::string> create_config(const Json& spec) override;
  Status update_config(const std::string& id, std::uint64_t version, const Json& spec) override;
  Status remove_config(const std::string& id_or_name) override;
  Result<std::vector<Json>> list_secrets(const Filters& filters) override;
  Result<std::string> create_secret(const Json& spec) override;
  Status update_secret(const std::string& id, std::uint64_t version, const Json& spec) override;
  Status remove_secret(const std::string& id_or_name) override;
  Result<std::vector<Json>> list_networks(const Filters& filters) override;
  Result<Json> inspect_network(const std::string& id_or_name) override;
  Result<std::string> create_network(const Json& request) override;
  Status remove_network(const std::string& id_or_name) override;
  Result<std::vector<Json>> list_volumes(const Filters& filters) override;
  Result<Json> inspect_volume(const std::string& name) override;
  Result<Json> create_volume(const Json& request) override;
  Status remove_volume(const std::string& name, bool force) override;
  Result<std::vector<Json>> list_images(const Filters& filters) override;
  Result<Json> inspect_image(const std::string& reference) override;
  Status pull_image(const std::string& reference, const RegistryAuth& auth,
                    const std::function<void(const PullProgress&)>& on_progress,
                    std::stop_token stop = {}) override;
  Status push_image(const std::string& reference, const RegistryAuth& auth,
                    const std::function<void(const PullProgress&)>& on_progress) override;
  Status tag_image(const std::string& source, const std::string& target) override;
  Status remove_image(const std::string& reference, bool force) override;
  Status load_image(const std::string& archive_path) override;
  Result<std::string> import_image(const std::string& archive_path, const std::string& reference,
                                   const std::vector<std::string>& changes) override;
  Result<std::string> build_image(const std::string& context_archive_path, const std::string& tag,
                                  const std::function<void(std::string_view)>& on_line) override;
  Result<std::vector<Json>> list_containers(bool all, const Filters& filters) override;
  Result<Json> inspect_container(const std::string& id) override;
  Result<std::string> create_container(const std::string& name, const Json& config) override;
  Status start_container(const std::string& id) override;
  Status stop_container(const std::string& id, std::optional<int> timeout_s) override;
  Status kill_container(const std::string& id, const std::string& signal) override;
  Result<int> wait_container(const std::string& id, Milliseconds deadline) override;
  Status remove_container(const std::string& id, bool force, bool volumes) override;
  // Commands end at once: "false" with 1, all others with 0.
  Result<std::string> start_exec(const std::string& container_id,
                                 const std::vector<std::string>& words) override;
  Result<ExecState> inspect_exec(const std::string& exec_id) override;
  Result<std::string> commit_container(const std::string& id, const std::string& reference,
                                       const std::vector<std::string>& changes) override;
  Status service_logs(const std::string& id, const LogOptions& options,
                      const std::function<bool(LogLine)>& on_line, std::stop_token stop) override;
  Status task_logs(const std::string& id, const LogOptions& options,
                   const std::function<bool(LogLine)>& on_line, std::stop_token stop) override;
  Status container_logs(const std::string& id, const LogOptions& options,
                        const std::function<bool(LogLine)>& on_line, std::stop_token stop) override;
  Status events(const Filters& filters, const std::function<bool(const Event&)>& on_event,
                std::stop_token stop) override;

 private:
  using Table = std::map<std::string, Json>;  // by id, the engine's own JSON

  Status enter(const std::string& method, const std::string& what = "");
  Status need_manager() const;
  std::string new_id();
  std::uint64_t next_index() { return ++index_; }
  void touch(Json& object);
  Result<Json*> find(Table& table, const std::string& kind, const std::string& id_or_name);
  bool name_taken(const Table& table, const std::string& name, const std::string& except_id) const;
  std::vector<Json> select(const Table& table, const Filters& filters) const;
  Result<std::string> create_named(Table& table, const std::string& kind, const Json& spec);
  Status update_versioned(Table& table, const std::string& kind, const std::string& id,
                          std::uint64_t version, const Json& spec);
  Status check_service_spec(const Json& spec, const std::string& except_id) const;
  void reconcile(Json& service, bool replace);
  std::vector<std::string> wanted_nodes(const Json& service) const;
  std::string pick_node(const Json& service) const;
  void add_task(const Json& service, std::int64_t slot, const std::string& node_id);
  bool live(const Json& task) const;
  void put_event(const std::string& type, const std::string& action, const std::string& id,
                 const std::string& name);
  Status replay_log(const std::string& id, const LogOptions& options,
                    const std::function<bool(LogLine)>& on_line, const std::stop_token& stop);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool in_swarm_ = false;
  std::string self_;
  std::uint64_t index_ = 10;
  std::uint64_t ids_ = 0;
  std::uint64_t generation_ = 0;  // of the event connections
  JoinTokens tokens_;
  model::TaskState hold_ = model::TaskState::kRunning;
  Table nodes_, services_, tasks_, configs_, secrets_, networks_, volumes_, images_, containers_,
      execs_;
  std::map<std::string, std::vector<LogLine>> logs_;
  std::deque<Event> events_;
  std::uint64_t first_event_ = 0;  // sequence number of events_.front()
  std::map<std::string, std::deque<Error>> failures_;
  std::vector<std::string> calls_;
  RegistryAuth last_auth_;
  bool list_is_stale_ = false;
};

}  // namespace hive::engine::fake
