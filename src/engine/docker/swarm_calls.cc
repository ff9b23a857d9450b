#include <fmt/core.h>
#include <simdjson.h>

#include "engine/docker/auth.h"
#include "engine/docker/docker_engine.h"
#include "engine/read_model.h"

namespace hive::engine::docker {
namespace {

std::uint64_t digest_of(simdjson::dom::element value, bool of_template = false) {
  using Type = simdjson::dom::element_type;
  switch (value.type()) {
    case Type::OBJECT: {
      std::uint64_t sum = 1;
      for (const auto& [key, member] : simdjson::dom::object(value))
        if (!of_template || tells_tasks_apart(key))
          sum += digest_join(digest_bytes(key, 2), digest_of(member));
      return sum;
    }
    case Type::ARRAY: {
      std::uint64_t all = 3;
      for (const simdjson::dom::element item : simdjson::dom::array(value))
        all = digest_join(all, digest_of(item));
      return all;
    }
    case Type::STRING:
      return digest_bytes(std::string_view(value), 4);
    case Type::BOOL:
      return bool(value) ? 5 : 6;
    case Type::DOUBLE:
      return digest_join(7, std::hash<double>()(double(value)));
    case Type::INT64:
      return digest_join(8, static_cast<std::uint64_t>(std::int64_t(value)));
    case Type::UINT64:
      return digest_join(8, std::uint64_t(value));
    case Type::NULL_VALUE:
      break;
  }
  return 9;
}

// simdjson's tree as read_model.h wants it.
class FastView {
 public:
  explicit FastView(simdjson::dom::element value) : value_(value) {}
  std::string string(std::string_view path) const {
    std::string_view text;
    return at(path).get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  }
  std::string text() const {
    std::string_view text;
    return value_.get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  }
  std::int64_t integer(std::string_view path, std::int64_t fallback = 0) const {
    std::int64_t number = 0;
    return at(path).get(number) == simdjson::SUCCESS ? number : fallback;
  }
  bool boolean(std::string_view path) const {
    bool truth = false;
    return at(path).get(truth) == simdjson::SUCCESS && truth;
  }
  bool has(std::string_view path) const {
    simdjson::dom::element found;
    return at(path).get(found) == simdjson::SUCCESS && !found.is_null();
  }
  template <typename Each>
  void each(std::string_view path, const Each& on_item) const {
    simdjson::dom::array list;
    if (at(path).get(list) != simdjson::SUCCESS) return;
    for (const simdjson::dom::element item : list) on_item(FastView(item));
  }
  template <typename Each>
  void members(std::string_view path, const Each& on_member) const {
    simdjson::dom::object map;
    if (at(path).get(map) != simdjson::SUCCESS) return;
    for (const auto& [key, value] : map) {
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS) on_member(key, text);
    }
  }
  std::uint64_t template_digest(std::string_view path) const {
    simdjson::dom::element found;
    return at(path).get(found) == simdjson::SUCCESS ? digest_of(found, true) : 0;
  }

 private:
  simdjson::simdjson_result<simdjson::dom::element> at(std::string_view path) const {
    simdjson::dom::element here = value_;
    while (true) {
      const auto dot = path.find('.');
      simdjson::dom::element next;
      if (const auto error = here.at_key(path.substr(0, dot)).get(next)) return error;
      if (dot == std::string_view::npos) return next;
      here = next;
      path.remove_prefix(dot + 1);
    }
  }
  simdjson::dom::element value_;
};

template <typename Item>
Result<std::vector<Item>> list_fast(Connection& connection, const std::string& path,
                                    const Filters& filters, Item (*read)(const FastView&)) {
  std::vector<Item> items;
  simdjson::dom::parser parser;
  HIVE_TRY(connection.objects(
      connection.get(path, Query().filters(filters)), JsonSplitter::Shape::kArray,
      [&](std::string_view text) -> Status {
        simdjson::dom::element element;
        if (const auto error = parser.parse(text.data(), text.size()).get(element))
          return fail(Errc::kCorrupt, fmt::format("an object of GET {} is not valid JSON: {}", path,
                                                  simdjson::error_message(error)));
        items.push_back(read(FastView(element)));
        return {};
      },
      {}, connection.options().deadline));
  return items;
}

}  // namespace

Result<std::string> DockerEngine::ping() { return connection_.ping(); }
Result<Json> DockerEngine::version() { return connection_.json(connection_.get("/version")); }
Result<Json> DockerEngine::info() { return connection_.json(connection_.get("/info")); }

Result<std::string> DockerEngine::swarm_init(const SwarmInit& request) {
  const Json body{{"ListenAddr", request.listen_address},
                  {"AdvertiseAddr", request.advertise_address},
                  {"ForceNewCluster", false},
                  {"Spec", Json::object()}};
  auto call = connection_.post("/swarm/init", {}, &body);
  call.deadline = std::max(call.deadline, Milliseconds(60'000));  // it waits for raft
  HIVE_ASSIGN(const Json id, connection_.json(std::move(call)));
  if (!id.is_string()) return fail(Errc::kCorrupt, "the engine's answer to swarm init is no id");
  return id.get<std::string>();
}

Status DockerEngine::swarm_join(const SwarmJoin& request) {
  const Json body{{"ListenAddr", request.listen_address},
                  {"AdvertiseAddr", request.advertise_address},
                  {"RemoteAddrs", request.remote_addresses},
                  {"JoinToken", request.token}};
  auto call = connection_.post("/swarm/join", {}, &body);
  call.deadline = std::max(call.deadline, Milliseconds(60'000));
  HIVE_TRY(connection_.call(std::move(call)));
  return {};
}

Status DockerEngine::swarm_leave(bool force) {
  auto call = connection_.post("/swarm/leave", Query().flag("force", force));
  call.deadline = std::max(call.deadline, Milliseconds(60'000));  // it stops the node's tasks
  HIVE_TRY(connection_.call(std::move(call)));
  return {};
}

Result<Json> DockerEngine::swarm_inspect() { return connection_.json(connection_.get("/swarm")); }

Result<JoinTokens> DockerEngine::join_tokens() {
  HIVE_ASSIGN(const Json swarm, swarm_inspect());
  JoinTokens tokens{json_string(swarm, "JoinTokens.Manager"),
                    json_string(swarm, "JoinTokens.Worker")};
  if (tokens.manager.empty() || tokens.worker.empty())
    return fail(Errc::kCorrupt, "the engine's answer about the swarm has no join tokens");
  return tokens;
}

Status DockerEngine::rotate_join_tokens(bool worker, bool manager) {
  HIVE_ASSIGN(const Json swarm, swarm_inspect());
  const Json* spec = json_member(swarm, "Spec");
  if (spec == nullptr)
    return fail(Errc::kCorrupt, "the engine's answer about the swarm has no Spec");
  HIVE_TRY(connection_.call(
      connection_.post("/swarm/update",
                       Query()
                           .add("version", std::to_string(json_int(swarm, "Version.Index")))
                           .flag("rotateWorkerToken", worker)
                           .flag("rotateManagerToken", manager),
                       spec)));
  return {};
}

Result<std::vector<model::Node>> DockerEngine::list_nodes(const Filters& filters) {
  return list_fast<model::Node>(connection_, "/nodes", filters, read_node<FastView>);
}
Result<Json> DockerEngine::inspect_node(const std::string& id_or_name) {
  return connection_.json(connection_.get("/nodes/" + path_escape(id_or_name)));
}
Status DockerEngine::update_node(const std::string& id, std::uint64_t version, const Json& spec) {
  return write_version("/nodes/" + path_escape(id), version, spec);
}
Status DockerEngine::remove_node(const std::string& id, bool force) {
  return remove("/nodes/" + path_escape(id), Query().flag("force", force));
}

Result<std::vector<model::Service>> DockerEngine::list_services(const Filters& filters) {
  return list_fast<model::Service>(connection_, "/services", filters, read_service<FastView>);
}
Result<std::vector<Json>> DockerEngine::list_services_json(const Filters& filters) {
  return list("/services", filters);
}
Result<Json> DockerEngine::inspect_service(const std::string& id_or_name) {
  return connection_.json(connection_.get("/services/" + path_escape(id_or_name),
                                          Query().add("insertDefaults", "false")));
}

// What the docker command does before it writes a service: the tag becomes "name:tag@sha256:...",
// and the platforms of the image bind the tasks. The engine itself asks no registry (since 1.30).
Status DockerEngine::pin_digest(Json& spec, const RegistryAuth& auth) {
  const std::string image = json_string(spec, "TaskTemplate.ContainerSpec.Image");
  const ReferenceParts parts = split_reference(image);
  if (image.empty() || !parts.digest.empty()) return {};
  auto call = connection_.get("/distribution/" + path_escape(image) + "/json");
  if (!auth.empty()) call.headers.emplace("x-registry-auth", registry_auth_header(auth));
  HIVE_ASSIGN(const Json found, connection_.json(std::move(call)));
  const std::string digest = json_string(found, "Descriptor.digest");
  if (digest.empty()) return fail(Errc::kCorrupt, "the registry's answer has no digest");
  spec["TaskTemplate"]["ContainerSpec"]["Image"] =
      parts.name + ":" + (parts.tag.empty() ? "latest" : parts.tag) + "@" + digest;
  const Json* platforms = json_path(found, "Platforms");
  if (platforms == nullptr || !platforms->is_array() || platforms->empty()) return {};
  Json wanted = Json::array();
  for (const Json& platform : *platforms) {
    // Swarm cannot match arm variants: docker leaves them open (swarmkit#2294), and so do we.
    const std::string architecture = json_string(platform, "architecture");
    wanted.push_back({{"Architecture", architecture == "arm" ? "" : architecture},
                      {"OS", json_string(platform, "os")}});
  }
  spec["TaskTemplate"]["Placement"]["Platforms"] = std::move(wanted);
  return {};
}

Result<ServiceWriteResult> DockerEngine::write_service(net::Request request, const Json& spec,
                                                       const ServiceWriteOptions& options) {
  ServiceWriteResult written;
  Json pinned = spec;
  if (options.query_registry) {
    if (const Status pin = pin_digest(pinned, options.auth); !pin)
      written.warnings.push_back(
          fmt::format("image {} could not be accessed on a registry to record its digest; each "
                      "node will use its own copy, which may differ: {}",
                      json_string(spec, "TaskTemplate.ContainerSpec.Image"), pin.error().message));
  }
  request.body = pinned.dump(-1, ' ', false, Json::error_handler_t::replace);
  request.headers.emplace("content-type", "application/json");
  if (!options.auth.empty())
    request.headers.emplace("x-registry-auth", registry_auth_header(options.auth));
  HIVE_ASSIGN(const Json answer, connection_.json(std::move(request)));
  written.id = json_string(answer, "ID");
  for (const char* key : {"Warnings", "Warning"}) {
    const Json* warnings = json_member(answer, key);
    if (warnings != nullptr && warnings->is_string() && !warnings->get<std::string>().empty())
      written.warnings.push_back(warnings->get<std::string>());
    if (warnings == nullptr || !warnings->is_array()) continue;
    for (const Json& warning : *warnings)
      if (warning.is_string()) written.warnings.push_back(warning.get<std::string>());
  }
  return written;
}

Result<ServiceWriteResult> DockerEngine::create_service(const Json& spec,
                                                        const ServiceWriteOptions& options) {
  HIVE_ASSIGN(auto written, write_service(connection_.post("/services/create"), spec, options));
  if (written.id.empty())
    return fail(Errc::kCorrupt, "the engine's answer to the creation of a service has no id");
  return written;
}

Result<ServiceWriteResult> DockerEngine::update_service(const std::string& id,
                                                        std::uint64_t version, const Json& spec,
                                                        const ServiceWriteOptions& options) {
  HIVE_ASSIGN(
      auto written,
      write_service(
          connection_.post("/services/" + path_escape(id) + "/update",
                           Query()
                               .add("version", std::to_string(version))
                               .add("registryAuthFrom", options.registry_auth_from)
                               .add("rollback", options.rollback_to_previous ? "previous" : "")),
          spec, options));
  written.id = id;
  return written;
}

Status DockerEngine::remove_service(const std::string& id_or_name) {
  return remove("/services/" + path_escape(id_or_name));
}

Result<std::vector<model::Task>> DockerEngine::list_tasks(const Filters& filters) {
  return list_fast<model::Task>(connection_, "/tasks", filters, read_task<FastView>);
}
Result<Json> DockerEngine::inspect_task(const std::string& id) {
  return connection_.json(connection_.get("/tasks/" + path_escape(id)));
}

}  // namespace hive::engine::docker
