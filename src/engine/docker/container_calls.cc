#include <fmt/core.h>

#include <algorithm>

#include "engine/docker/docker_engine.h"

namespace hive::engine::docker {
namespace {

constexpr int kDefaultStopSeconds = 10;  // the engine's, unless the container names another

std::string container_path(const std::string& id, std::string_view action = "") {
  return "/containers/" + path_escape(id) + std::string(action);
}

}  // namespace

Result<std::vector<Json>> DockerEngine::list_containers(bool all, const Filters& filters) {
  HIVE_ASSIGN(Json answer, connection_.json(connection_.get(
                               "/containers/json", Query().flag("all", all).filters(filters))));
  return objects_of(std::move(answer), "/containers/json");
}

Result<Json> DockerEngine::inspect_container(const std::string& id) {
  return connection_.object(connection_.get(container_path(id, "/json")));
}

Result<std::string> DockerEngine::create_container(const std::string& name, const Json& config) {
  HIVE_ASSIGN(const Json answer, connection_.object(connection_.post(
                                     "/containers/create", Query().add("name", name), &config)));
  std::string id = json_string(answer, "Id");
  if (id.empty())
    return fail(Errc::kCorrupt, "the engine's answer to the creation of a container has no id");
  return id;
}

Status DockerEngine::start_container(const std::string& id) {
  auto call = connection_.post(container_path(id, "/start"));
  call.deadline = std::max(call.deadline, Milliseconds(60'000));
  HIVE_TRY(connection_.call(std::move(call)));
  return {};
}

Status DockerEngine::stop_container(const std::string& id, std::optional<int> timeout_s) {
  auto call =
      connection_.post(container_path(id, "/stop"),
                       Query().add("t", timeout_s ? std::to_string(*timeout_s) : std::string()));
  int grace_s = timeout_s.value_or(kDefaultStopSeconds);
  if (!timeout_s) {
    HIVE_ASSIGN(const Json container, inspect_container(id));
    grace_s = static_cast<int>(json_int(container, "Config.StopTimeout", kDefaultStopSeconds));
  }
  call.deadline += std::chrono::seconds(std::max(grace_s, 0));
  HIVE_TRY(connection_.call(std::move(call)));
  return {};
}

Status DockerEngine::kill_container(const std::string& id, const std::string& signal) {
  HIVE_TRY(connection_.call(
      connection_.post(container_path(id, "/kill"), Query().add("signal", signal))));
  return {};
}

Result<int> DockerEngine::wait_container(const std::string& id, Milliseconds deadline) {
  auto call = connection_.post(container_path(id, "/wait"));
  call.deadline = deadline;
  HIVE_ASSIGN(const Json answer, connection_.object(std::move(call)));
  const std::string error = json_string(answer, "Error.Message");
  if (!error.empty())
    return fail(Errc::kFailedPrecondition, fmt::format("waiting for container {}: {}", id, error));
  if (json_member(answer, "StatusCode") == nullptr)
    return fail(Errc::kCorrupt, "the engine's answer to a wait has no exit code");
  return static_cast<int>(json_int(answer, "StatusCode"));
}

Status DockerEngine::remove_container(const std::string& id, bool force, bool volumes) {
  auto call = connection_.del(container_path(id), Query().flag("force", force).flag("v", volumes));
  call.deadline = std::max(call.deadline, Milliseconds(60'000));
  HIVE_TRY(connection_.call(std::move(call)));
  return {};
}

Result<std::string> DockerEngine::start_exec(const std::string& container_id,
                                             const std::vector<std::string>& words) {
  const Json command{{"Cmd", words}, {"AttachStdout", false}, {"AttachStderr", false}};
  HIVE_ASSIGN(const Json answer, connection_.object(connection_.post(
                                     container_path(container_id, "/exec"), {}, &command)));
  const std::string id = json_string(answer, "Id");
  if (id.empty())
    return fail(Errc::kCorrupt, "the engine's answer to the creation of a command has no id");
  const Json detached{{"Detach", true}};
  HIVE_TRY(
      connection_.call(connection_.post("/exec/" + path_escape(id) + "/start", {}, &detached)));
  return id;
}

Result<ExecState> DockerEngine::inspect_exec(const std::string& exec_id) {
  HIVE_ASSIGN(const Json answer,
              connection_.object(connection_.get("/exec/" + path_escape(exec_id) + "/json")));
  const Json* running = json_member(answer, "Running");
  if (running == nullptr || !running->is_boolean())
    return fail(Errc::kCorrupt, "the engine does not say whether the command runs");
  return ExecState{running->get<bool>(), static_cast<int>(json_int(answer, "ExitCode"))};
}

Result<std::string> DockerEngine::commit_container(const std::string& id,
                                                   const std::string& reference,
                                                   const std::vector<std::string>& changes) {
  const ReferenceParts parts = split_reference(reference);
  Query query;
  query.add("container", id).add("repo", parts.name).add("tag", parts.tag).flag("pause", true);
  for (const std::string& change : changes) query.add("changes", change);
  auto call = connection_.post("/commit", query);
  call.deadline = connection_.options().image_deadline;
  HIVE_ASSIGN(const Json answer, connection_.object(std::move(call)));
  std::string image = json_string(answer, "Id");
  if (image.empty()) return fail(Errc::kCorrupt, "the engine's answer to a commit has no image id");
  return image;
}

}  // namespace hive::engine::docker
