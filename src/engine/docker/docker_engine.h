// The Engine port over HTTP. One class, its calls in one file a subject: swarm_calls.cc,
// object_calls.cc (configs, secrets, networks, volumes), image_calls.cc, container_calls.cc,
// stream_calls.cc (logs, events). What each call does is said in engine/engine.h.
#pragma once

#include <string>
#include <vector>

#include "engine/docker/connection.h"
#include "engine/docker/log_frames.h"
#include "engine/engine.h"

namespace hive::engine::docker {

class DockerEngine final : public Engine {
 public:
  DockerEngine(net::Target target, EngineOptions options)
      : connection_(std::move(target), std::move(options)) {}

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
  Result<Json> inspect_service_with_defaults(const std::string& id_or_name) override;
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
  using OnProgress = std::function<Status(const Json&)>;

  Result<std::vector<Json>> list(const std::string& path, const Filters& filters);
  static Result<std::vector<Json>> objects_of(Json answer, const std::string& path);
  Result<std::string> create(const std::string& path, const Json& body, std::string_view id_key);
  Status write_version(const std::string& path, std::uint64_t version, const Json& spec);
  Status remove(const std::string& path, const Query& query = {});
  Result<ServiceWriteResult> write_service(net::Request request, const Json& spec,
                                           const ServiceWriteOptions& options);
  Status pin_digest(Json& spec, const RegistryAuth& auth);
  // A long call whose answer is a stream of JSON objects; `errorDetail` in it is an Error.
  Status progress(net::Request request, const OnProgress& on_object,
                  const std::stop_token& stop = {});
  Status logs(const std::string& path, bool tty, const LogOptions& options,
              const std::function<bool(LogLine)>& on_line, const std::stop_token& stop);

  Connection connection_;
};

// "name:tag", "name@sha256:..." apart: the tag (or digest) is what follows the last ':' or the '@'
// after the last '/'. "latest" is not assumed here.
struct ReferenceParts {
  std::string name;
  std::string tag;
  std::string digest;
};
ReferenceParts split_reference(std::string_view reference);

}  // namespace hive::engine::docker
