// The port to a Docker Engine (API 1.40 and later): everything hive asks of Swarm goes through it.
//
// Specs travel as the engine's own JSON and are merged, never rebuilt, so that fields of newer
// engines survive a read-merge-write. Lists come as model types, for decisions and tables.
//
// Every call is blocking, has a deadline (EngineOptions), and may be made from any thread.
// Errors: kUnavailable (no engine there, half an answer), kDeadlineExceeded, kCorrupt (garbage),
// kConflict (stale version index, "update out of sequence"), kNotFound, kAlreadyExists (name
// conflict), kFailedPrecondition (not a swarm manager: HTTP 503 "not a swarm manager", 406),
// kInvalidArgument (400), kUnsupported (API too old).
// Source: docs.docker.com/engine/api, v1.40 to v1.47.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/cluster.h"

namespace hive::engine {

struct RegistryAuth {
  std::string username;
  std::string password;
  std::string server_address;
  std::string identity_token;
  bool empty() const { return username.empty() && identity_token.empty(); }
};

// {"label": {"k=v"}, "name": {"web"}}: the API's filters.
using Filters = std::map<std::string, std::vector<std::string>>;

struct SwarmInit {
  std::string listen_address = "0.0.0.0:2377";
  std::string advertise_address;
};
struct SwarmJoin {
  std::string listen_address = "0.0.0.0:2377";
  std::string advertise_address;
  std::vector<std::string> remote_addresses;  // managers, host:2377
  std::string token;
};
struct JoinTokens {
  std::string manager;
  std::string worker;
};

struct ServiceWriteOptions {
  RegistryAuth auth;
  // "spec" or "previous-spec": where the engine takes the auth from when `auth` is empty.
  std::string registry_auth_from;
  bool rollback_to_previous = false;
  bool query_registry = false;  // let the engine resolve the tag to a digest
};
struct ServiceWriteResult {
  std::string id;
  std::vector<std::string> warnings;
};

// One log line. `stream`: 1 stdout, 2 stderr (a TTY container's output is raw, all stdout).
struct LogLine {
  int stream = 1;
  std::string text;       // without its newline, with the timestamp in front when asked for
  model::Labels details;  // node, service, task ids, when LogOptions::details
};
struct LogOptions {
  bool follow = false;
  bool timestamps = false;
  bool details = false;
  std::string tail = "all";
  std::string since;
  std::string until;
  bool out = true;
  bool err = true;
};

// A message of /events. After a (re)connect the stream begins with `relist` = true: what happened
// in between is unknown, so the receiver lists everything anew.
struct Event {
  bool relist = false;
  std::string type;    // container, service, node, network, secret, config, ...
  std::string action;  // start, die, kill, health_status: healthy, create, update, remove, ...
  std::string actor_id;
  model::Labels attributes;
  std::int64_t time_ns = 0;
};

struct PullProgress {
  std::string id;
  std::string status;
  std::int64_t current = 0;
  std::int64_t total = 0;
};

// A command run inside a container.
struct ExecState {
  bool running = false;
  int exit_code = 0;  // when it has ended
};

class Engine {
 public:
  virtual ~Engine() = default;

  // --- the engine itself
  virtual Result<std::string> ping() = 0;  // negotiated API version, "1.41"
  virtual Result<Json> version() = 0;      // GET /version
  virtual Result<Json> info() = 0;         // GET /info

  // --- swarm
  virtual Result<std::string> swarm_init(const SwarmInit& request) = 0;  // node id
  virtual Status swarm_join(const SwarmJoin& request) = 0;
  virtual Status swarm_leave(bool force) = 0;
  virtual Result<Json> swarm_inspect() = 0;
  virtual Result<JoinTokens> join_tokens() = 0;
  virtual Status rotate_join_tokens(bool worker, bool manager) = 0;

  // --- nodes
  virtual Result<std::vector<model::Node>> list_nodes(const Filters& filters = {}) = 0;
  virtual Result<Json> inspect_node(const std::string& id_or_name) = 0;
  virtual Status update_node(const std::string& id, std::uint64_t version, const Json& spec) = 0;
  virtual Status remove_node(const std::string& id, bool force) = 0;

  // --- services
  virtual Result<std::vector<model::Service>> list_services(const Filters& filters = {}) = 0;
  virtual Result<std::vector<Json>> list_services_json(const Filters& filters = {}) = 0;
  // With insertDefaults=false: what was written, not what is assumed.
  virtual Result<Json> inspect_service(const std::string& id_or_name) = 0;
  // With the engine's defaults in place of what was left open: for people, never to be written
  // back.
  virtual Result<Json> inspect_service_with_defaults(const std::string& id_or_name) = 0;
  virtual Result<ServiceWriteResult> create_service(const Json& spec,
                                                    const ServiceWriteOptions& options) = 0;
  virtual Result<ServiceWriteResult> update_service(const std::string& id, std::uint64_t version,
                                                    const Json& spec,
                                                    const ServiceWriteOptions& options) = 0;
  virtual Status remove_service(const std::string& id_or_name) = 0;

  // --- tasks
  virtual Result<std::vector<model::Task>> list_tasks(const Filters& filters = {}) = 0;
  virtual Result<Json> inspect_task(const std::string& id) = 0;

  // --- configs, secrets, networks, volumes
  virtual Result<std::vector<Json>> list_configs(const Filters& filters = {}) = 0;
  virtual Result<std::string> create_config(const Json& spec) = 0;
  virtual Status update_config(const std::string& id, std::uint64_t version, const Json& spec) = 0;
  virtual Status remove_config(const std::string& id_or_name) = 0;
  virtual Result<std::vector<Json>> list_secrets(const Filters& filters = {}) = 0;
  virtual Result<std::string> create_secret(const Json& spec) = 0;
  virtual Status update_secret(const std::string& id, std::uint64_t version, const Json& spec) = 0;
  virtual Status remove_secret(const std::string& id_or_name) = 0;
  virtual Result<std::vector<Json>> list_networks(const Filters& filters = {}) = 0;
  virtual Result<Json> inspect_network(const std::string& id_or_name) = 0;
  virtual Result<std::string> create_network(const Json& request) = 0;
  virtual Status remove_network(const std::string& id_or_name) = 0;
  virtual Result<std::vector<Json>> list_volumes(const Filters& filters = {}) = 0;
  virtual Result<Json> inspect_volume(const std::string& name) = 0;
  virtual Result<Json> create_volume(const Json& request) = 0;
  virtual Status remove_volume(const std::string& name, bool force) = 0;

  // --- images
  virtual Result<std::vector<Json>> list_images(const Filters& filters = {}) = 0;
  virtual Result<Json> inspect_image(const std::string& reference) = 0;
  // kCancelled when it is told to stop: what was fetched by then is kept by the engine or not.
  virtual Status pull_image(const std::string& reference, const RegistryAuth& auth,
                            const std::function<void(const PullProgress&)>& on_progress,
                            std::stop_token stop = {}) = 0;
  virtual Status push_image(const std::string& reference, const RegistryAuth& auth,
                            const std::function<void(const PullProgress&)>& on_progress) = 0;
  virtual Status tag_image(const std::string& source, const std::string& target) = 0;
  virtual Status remove_image(const std::string& reference, bool force) = 0;
  // A `docker save` archive.
  virtual Status load_image(const std::string& archive_path) = 0;
  // A root file system archive becomes an image; `changes` are Dockerfile instructions.
  virtual Result<std::string> import_image(const std::string& archive_path,
                                           const std::string& reference,
                                           const std::vector<std::string>& changes) = 0;
  // A tar (gzip allowed) of a build context with its Dockerfile. Returns the image id.
  virtual Result<std::string> build_image(const std::string& context_archive_path,
                                          const std::string& tag,
                                          const std::function<void(std::string_view)>& on_line) = 0;

  // --- containers of this engine alone
  virtual Result<std::vector<Json>> list_containers(bool all, const Filters& filters = {}) = 0;
  virtual Result<Json> inspect_container(const std::string& id) = 0;
  virtual Result<std::string> create_container(const std::string& name, const Json& config) = 0;
  virtual Status start_container(const std::string& id) = 0;
  virtual Status stop_container(const std::string& id, std::optional<int> timeout_s) = 0;
  virtual Status kill_container(const std::string& id, const std::string& signal) = 0;
  virtual Result<int> wait_container(const std::string& id, Milliseconds deadline) = 0;
  virtual Status remove_container(const std::string& id, bool force, bool volumes) = 0;
  // Starts a command inside a running container and does not wait for it; its output is dropped.
  // The id to look at it by, which holds for as long as the container is there. kNotFound when the
  // container does not run; that the program is not there shows as exit code 126 or 127.
  virtual Result<std::string> start_exec(const std::string& container_id,
                                         const std::vector<std::string>& words) = 0;
  virtual Result<ExecState> inspect_exec(const std::string& exec_id) = 0;
  // The image's id.
  virtual Result<std::string> commit_container(const std::string& id, const std::string& reference,
                                               const std::vector<std::string>& changes) = 0;

  // --- streams; they end when the callback returns false, when `stop` is requested, or (not
  //     following) at the end of the log
  virtual Status service_logs(const std::string& id, const LogOptions& options,
                              const std::function<bool(LogLine)>& on_line,
                              std::stop_token stop) = 0;
  virtual Status task_logs(const std::string& id, const LogOptions& options,
                           const std::function<bool(LogLine)>& on_line, std::stop_token stop) = 0;
  virtual Status container_logs(const std::string& id, const LogOptions& options,
                                const std::function<bool(LogLine)>& on_line,
                                std::stop_token stop) = 0;
  // Reconnects by itself with bounded backoff until stopped; each connection begins with a relist
  // event. Returns only when stopped.
  virtual Status events(const Filters& filters, const std::function<bool(const Event&)>& on_event,
                        std::stop_token stop) = 0;
};

// Reads the service, lets `merge` change its Spec, writes it back with the version read; on
// kConflict begins again, at most `attempts` times. `merge` returns false when there is nothing to
// change (no write then).
Result<ServiceWriteResult> modify_service(Engine& engine, const std::string& id_or_name,
                                          const std::function<Result<bool>(Json& spec)>& merge,
                                          const ServiceWriteOptions& options = {},
                                          int attempts = 5);
Status modify_node(Engine& engine, const std::string& id_or_name,
                   const std::function<Result<bool>(Json& spec)>& merge, int attempts = 5);

// The same for equal values, whatever the order of members.
std::uint64_t digest(const Json& value);

// The engine's JSON as model types.
model::Node node_from_json(const Json& node);
model::Service service_from_json(const Json& service);
model::Task task_from_json(const Json& task);

}  // namespace hive::engine
