#include "cli/service_resolve.h"

#include <cstdlib>
#include <filesystem>

#include "base/base64.h"
#include "base/text.h"
#include "cli/reach.h"
#include "os/file.h"

namespace hive::cli {
namespace {

Result<std::string> id_of(const std::vector<Json>& all, const std::string& name_path,
                          const std::string& id_field, const std::string& word,
                          const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& thing : all) {
    const std::string name = json_string(thing, name_path);
    const std::string id = json_string(thing, id_field);
    if (name == word || id == word) return id;
    names.push_back(name);
  }
  const auto near = did_you_mean(word, names);
  return fail(Errc::kNotFound, "there is no " + kind + " '" + word + "'" +
                                   (near ? ": did you mean '" + *near + "'?" : ""));
}

Status resolve_networks(engine::Engine& engine, Json& task) {
  Json* networks = task.contains("Networks") ? &task["Networks"] : nullptr;
  if (networks == nullptr || !networks->is_array() || networks->empty()) return {};
  HIVE_ASSIGN(const auto all, engine.list_networks());
  for (auto& network : *networks) {
    HIVE_ASSIGN(const auto id, id_of(all, "Name", "Id", json_string(network, "Target"), "network"));
    network["Target"] = id;
  }
  return {};
}

Status resolve_files(const Result<std::vector<Json>>& all, Json& container, const char* list,
                     const char* id_field, const char* name_field, const char* kind) {
  if (!all) return tl::unexpected(all.error());
  for (auto& reference : container[list]) {
    if (!json_string(reference, id_field).empty()) continue;
    HIVE_ASSIGN(const auto id,
                id_of(*all, "Spec.Name", "ID", json_string(reference, name_field), kind));
    reference[id_field] = id;
  }
  return {};
}

std::string registry_of(const std::string& image) {
  const auto slash = image.find('/');
  std::string first = image.substr(0, slash);
  if (slash == std::string::npos || (first.find('.') == std::string::npos &&
                                     first.find(':') == std::string::npos && first != "localhost"))
    return "https://index.docker.io/v1/";
  return first;
}

engine::RegistryAuth read_docker_config(const std::filesystem::path& path,
                                        const std::string& registry) {
  engine::RegistryAuth auth;
  const auto text = os::read_file(path, 1 << 20);
  if (!text) return auth;
  const auto config = parse_json(*text, path.string());
  if (!config) return auth;
  const Json* auths = json_member(*config, "auths");
  const Json* entry = auths == nullptr ? nullptr : json_member(*auths, registry);
  if (entry == nullptr) return auth;
  const std::string pair = base64_decode(json_string(*entry, "auth")).value_or("");
  const auto colon = pair.find(':');
  auth.server_address = registry;
  auth.identity_token = json_string(*entry, "identitytoken");
  auth.username =
      colon == std::string::npos ? json_string(*entry, "username") : pair.substr(0, colon);
  auth.password =
      colon == std::string::npos ? json_string(*entry, "password") : pair.substr(colon + 1);
  return auth;
}

engine::RegistryAuth docker_auth(const std::string& registry) {
  const char* directory = std::getenv("DOCKER_CONFIG");
  const char* home = std::getenv("HOME");
  const std::filesystem::path path =
      directory != nullptr ? std::filesystem::path(directory)
                           : std::filesystem::path(home == nullptr ? "/" : home) / ".docker";
  return read_docker_config(path / "config.json", registry);
}

}  // namespace

Status resolve_references(engine::Engine& engine, Json& spec) {
  Json& task = spec["TaskTemplate"];
  HIVE_TRY(resolve_networks(engine, task));
  Json& container = task["ContainerSpec"];
  const auto has = [&](const char* name) {
    return container.contains(name) && container[name].is_array() && !container[name].empty();
  };
  if (has("Secrets"))
    HIVE_TRY(resolve_files(engine.list_secrets(), container, "Secrets", "SecretID", "SecretName",
                           "secret"));
  if (has("Configs"))
    HIVE_TRY(resolve_files(engine.list_configs(), container, "Configs", "ConfigID", "ConfigName",
                           "config"));
  return {};
}

engine::RegistryAuth auth_for_image(const Globals& globals, const std::string& image) {
  const std::string registry = registry_of(image);
  if (const auto cluster = pick_cluster(globals); cluster && globals.host.empty()) {
    auto auth = cluster_registry_auth(*cluster, registry);
    if (!auth.empty()) return auth;
  }
  return docker_auth(registry);
}

Result<engine::RegistryAuth> auth_for_image(const Globals& globals,
                                            const config::Registry& registry,
                                            const std::string& image) {
  if (registry.username.empty() || registry_of(image) != registry.address)
    return auth_for_image(globals, image);
  const auto password = os::read_file(registry.password_file, 1 << 16);
  if (!password) return annotate(password.error(), "the password of x-hive.registry.username");
  return engine::RegistryAuth{.username = registry.username,
                              .password = std::string(trim(*password)),
                              .server_address = registry.address};
}

bool kernel_has_ip_vs() {
  std::error_code ignored;
  return std::filesystem::exists("/proc/net/ip_vs", ignored) ||
         std::filesystem::exists("/sys/module/ip_vs", ignored);
}

std::string choose_endpoint_mode(Json& spec) {
  if (kernel_has_ip_vs()) return "";
  Json& endpoint = spec["EndpointSpec"];
  if (!endpoint.is_object()) endpoint = Json::object();
  if (json_string(endpoint, "Mode") == "dnsrr") return "";
  endpoint["Mode"] = "dnsrr";
  return "service " + json_string(spec, "Name") +
         ": endpoint mode dnsrr, since this kernel has no IP_VS for virtual IPs";
}

}  // namespace hive::cli
