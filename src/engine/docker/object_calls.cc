#include <fmt/core.h>

#include "engine/docker/docker_engine.h"

namespace hive::engine::docker {

Result<std::unique_ptr<Engine>> connect(const EngineOptions& options) {
  HIVE_ASSIGN(net::Target target, target_from(options));
  return std::unique_ptr<Engine>(std::make_unique<DockerEngine>(std::move(target), options));
}

// null is an empty list (Go's nil).
Result<std::vector<Json>> DockerEngine::objects_of(Json answer, const std::string& path) {
  if (answer.is_null()) return std::vector<Json>{};
  if (!answer.is_array())
    return fail(Errc::kCorrupt, fmt::format("the engine's answer to GET {} is no list", path));
  std::vector<Json> items;
  items.reserve(answer.size());
  for (Json& item : answer) {
    if (!item.is_object())
      return fail(Errc::kCorrupt,
                  fmt::format("the engine's answer to GET {} is no list of objects", path));
    items.push_back(std::move(item));
  }
  return items;
}

Result<std::vector<Json>> DockerEngine::list(const std::string& path, const Filters& filters) {
  HIVE_ASSIGN(Json answer, connection_.json(connection_.get(path, Query().filters(filters))));
  return objects_of(std::move(answer), path);
}

Result<std::string> DockerEngine::create(const std::string& path, const Json& body,
                                         std::string_view id_key) {
  HIVE_ASSIGN(const Json answer, connection_.object(connection_.post(path, {}, &body)));
  std::string id = json_string(answer, id_key);
  if (id.empty())
    return fail(Errc::kCorrupt, fmt::format("the engine's answer to POST {} has no id", path));
  return id;
}

Status DockerEngine::write_version(const std::string& path, std::uint64_t version,
                                   const Json& spec) {
  HIVE_TRY(connection_.call(
      connection_.post(path + "/update", Query().add("version", std::to_string(version)), &spec)));
  return {};
}

Status DockerEngine::remove(const std::string& path, const Query& query) {
  HIVE_TRY(connection_.call(connection_.del(path, query)));
  return {};
}

Result<std::vector<Json>> DockerEngine::list_configs(const Filters& filters) {
  return list("/configs", filters);
}
Result<std::string> DockerEngine::create_config(const Json& spec) {
  return create("/configs/create", spec, "ID");
}
Status DockerEngine::update_config(const std::string& id, std::uint64_t version, const Json& spec) {
  return write_version("/configs/" + path_escape(id), version, spec);
}
Status DockerEngine::remove_config(const std::string& id_or_name) {
  return remove("/configs/" + path_escape(id_or_name));
}

Result<std::vector<Json>> DockerEngine::list_secrets(const Filters& filters) {
  return list("/secrets", filters);
}
Result<std::string> DockerEngine::create_secret(const Json& spec) {
  return create("/secrets/create", spec, "ID");
}
Status DockerEngine::update_secret(const std::string& id, std::uint64_t version, const Json& spec) {
  return write_version("/secrets/" + path_escape(id), version, spec);
}
Status DockerEngine::remove_secret(const std::string& id_or_name) {
  return remove("/secrets/" + path_escape(id_or_name));
}

Result<std::vector<Json>> DockerEngine::list_networks(const Filters& filters) {
  return list("/networks", filters);
}
Result<Json> DockerEngine::inspect_network(const std::string& id_or_name) {
  return connection_.object(connection_.get("/networks/" + path_escape(id_or_name)));
}
Result<std::string> DockerEngine::create_network(const Json& request) {
  // Without it two networks of one name are made (engines before API 1.44).
  Json body = request;
  if (body.is_object() && !body.contains("CheckDuplicate")) body["CheckDuplicate"] = true;
  return create("/networks/create", body, "Id");
}
Status DockerEngine::remove_network(const std::string& id_or_name) {
  return remove("/networks/" + path_escape(id_or_name));
}

Result<std::vector<Json>> DockerEngine::list_volumes(const Filters& filters) {
  HIVE_ASSIGN(Json answer,
              connection_.object(connection_.get("/volumes", Query().filters(filters))));
  const auto volumes = answer.find("Volumes");  // null when there are none
  if (volumes == answer.end())
    return fail(Errc::kCorrupt, "the engine's answer to GET /volumes has no Volumes");
  return objects_of(std::move(*volumes), "/volumes");
}
Result<Json> DockerEngine::inspect_volume(const std::string& name) {
  return connection_.object(connection_.get("/volumes/" + path_escape(name)));
}
Result<Json> DockerEngine::create_volume(const Json& request) {
  return connection_.object(connection_.post("/volumes/create", {}, &request));
}
Status DockerEngine::remove_volume(const std::string& name, bool force) {
  return remove("/volumes/" + path_escape(name), Query().flag("force", force));
}

}  // namespace hive::engine::docker
