#include <algorithm>
#include <set>

#include "base/text.h"
#include "stack/convert_parts.h"

namespace hive::stack::parts {

namespace {

// Go leaves empty values out; so does this.
template <typename T>
void put(Json& to, const char* key, const T& value) {
  if (!value.empty()) to[key] = value;
}

// As docker's client sends it: in its short form ("docker.io/library/redis" is "redis"), with the
// tag "latest" when there is neither tag nor digest.
std::string familiar_image(std::string image) {
  for (const std::string_view prefix :
       {"docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"}) {
    if (image.starts_with(prefix)) {
      image.erase(0, prefix.size());
      break;
    }
  }
  if (image.empty() || image.find('@') != std::string::npos) return image;
  const auto slash = image.rfind('/');
  const auto colon = image.find(':', slash == std::string::npos ? 0 : slash);
  return colon == std::string::npos ? image + ":latest" : image;
}

Json environment(const config::NullableMap& variables) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : variables) lines.push_back(value ? name + "=" + *value : name);
  std::sort(lines.begin(), lines.end());
  return lines;
}

Json extra_hosts(const std::vector<std::string>& entries) {
  Json hosts = Json::array();
  for (const auto& entry : entries) {
    const auto colon = entry.find(':');
    if (colon == std::string::npos) continue;
    hosts.push_back(entry.substr(colon + 1) + " " + entry.substr(0, colon));
  }
  return hosts;
}

Json ulimits(const std::map<std::string, config::Ulimit>& limits) {
  Json result = Json::array();
  for (const auto& [name, limit] : limits) {
    const bool single = limit.single != 0;
    result.push_back({{"Name", name},
                      {"Soft", single ? limit.single : limit.soft},
                      {"Hard", single ? limit.single : limit.hard}});
  }
  return result;
}

Result<Json> credential_spec(const config::Spec& spec, const std::string& stack,
                             const config::Service& service) {
  if (!service.credential_spec) return Json(nullptr);
  const auto& wanted = *service.credential_spec;
  const int given = static_cast<int>(!wanted.config.empty()) +
                    static_cast<int>(!wanted.file.empty()) +
                    static_cast<int>(!wanted.registry.empty());
  if (given == 0) return Json(nullptr);
  if (given > 1) {
    return fail(Errc::kInvalidArgument,
                "credential_spec takes one of config, file and registry; keep one");
  }
  Json result = {{"Config", ""}, {"File", wanted.file}, {"Registry", wanted.registry}};
  if (!wanted.config.empty()) {
    const auto found = spec.configs.find(wanted.config);
    if (found == spec.configs.end()) {
      return fail(Errc::kInvalidArgument, "credential_spec names config \"" + wanted.config +
                                              "\", which is not in top-level configs");
    }
    result["Config"] = scoped(stack, wanted.config, found->second.name);
  }
  return result;
}

Result<Json> network_attachments(const config::Spec& spec, const std::string& stack,
                                 const config::Service& service) {
  auto joined = service.networks;
  if (joined.empty()) joined["default"] = std::nullopt;
  std::map<std::string, Json> by_target;
  for (const auto& [key, settings] : joined) {
    const auto found = spec.networks.find(key);
    if (found == spec.networks.end() && key != "default") {
      return fail(Errc::kInvalidArgument, "network \"" + key + "\" is not in top-level networks");
    }
    const std::string target =
        scoped(stack, key, found == spec.networks.end() ? "" : found->second.name);
    Json attachment = {{"Target", target}};
    std::vector<std::string> aliases;
    if (settings) aliases = settings->aliases;
    if (user_defined(target)) aliases.push_back(service.name);
    if (!aliases.empty()) attachment["Aliases"] = aliases;
    by_target[target] = std::move(attachment);
  }
  Json result = Json::array();
  for (auto& [target, attachment] : by_target) result.push_back(std::move(attachment));
  return result;
}

Json mode(const config::Deploy& deploy) {
  if (deploy.mode == "global") return {{"Global", Json::object()}};
  Json replicated = Json::object();
  if (deploy.replicas) replicated["Replicas"] = *deploy.replicas;
  return {{"Replicated", replicated}};
}

void put_plain_fields(Json& container, const config::Service& service) {
  put(container, "Command", service.entrypoint);
  put(container, "Args", service.command);
  put(container, "Hostname", service.hostname);
  put(container, "Hosts", extra_hosts(service.extra_hosts));
  put(container, "Env", environment(service.environment));
  put(container, "Dir", service.working_dir);
  put(container, "User", service.user);
  put(container, "StopSignal", service.stop_signal);
  put(container, "Isolation", service.isolation);
  put(container, "Sysctls", service.sysctls);
  put(container, "Ulimits", ulimits(service.ulimits));
  if (service.stop_grace_period) container["StopGracePeriod"] = service.stop_grace_period->count();
  if (service.tty) container["TTY"] = true;
  if (service.stdin_open) container["OpenStdin"] = true;
  if (service.read_only) container["ReadOnly"] = true;
  if (service.init) container["Init"] = *service.init;
  if (!service.dns.empty() || !service.dns_search.empty()) {
    Json dns = Json::object();
    put(dns, "Nameservers", service.dns);
    put(dns, "Search", service.dns_search);
    container["DNSConfig"] = std::move(dns);
  }
  auto [add, drop] = capabilities(service);
  put(container, "CapabilityAdd", add);
  put(container, "CapabilityDrop", drop);
}

Result<Json> container_spec(const config::Spec& spec, const std::string& stack,
                            const config::Service& service) {
  Json container = {{"Image", familiar_image(service.image)},
                    {"Labels", stack_labels(stack, service.labels)}};
  put_plain_fields(container, service);
  if (service.healthcheck) {
    HIVE_ASSIGN(container["Healthcheck"], healthcheck(*service.healthcheck));
  }
  HIVE_ASSIGN(Json all_mounts, mounts(spec, stack, service));
  put(container, "Mounts", all_mounts);
  HIVE_ASSIGN(Json secrets, secret_references(spec, stack, service));
  put(container, "Secrets", secrets);
  HIVE_ASSIGN(Json configs, config_references(spec, stack, service));
  put(container, "Configs", configs);
  HIVE_ASSIGN(Json credentials, credential_spec(spec, stack, service));
  container["Privileges"] = {{"CredentialSpec", credentials}, {"SELinuxContext", nullptr}};
  return container;
}

Json placement(const config::Placement& wanted) {
  Json result = Json::object();
  put(result, "Constraints", wanted.constraints);
  Json preferences = Json::array();
  for (const auto& spread : wanted.spread) {
    preferences.push_back({{"Spread", {{"SpreadDescriptor", spread}}}});
  }
  put(result, "Preferences", preferences);
  if (wanted.max_replicas_per_node != 0) result["MaxReplicas"] = wanted.max_replicas_per_node;
  return result;
}

Result<Json> task_template(const config::Spec& spec, const std::string& stack,
                           const config::Service& service) {
  Json task = Json::object();
  HIVE_ASSIGN(task["ContainerSpec"], container_spec(spec, stack, service));
  HIVE_ASSIGN(task["Resources"], resources(service.deploy));
  HIVE_ASSIGN(task["Networks"], network_attachments(spec, stack, service));
  task["Placement"] = placement(service.deploy.placement);
  if (service.deploy.restart_policy) {
    task["RestartPolicy"] = restart_policy(*service.deploy.restart_policy);
  } else {
    HIVE_ASSIGN(Json restart, restart_policy(service.restart));
    if (!restart.is_null()) task["RestartPolicy"] = std::move(restart);
  }
  if (service.logging) {
    Json driver = Json::object();
    put(driver, "Name", service.logging->driver);
    put(driver, "Options", service.logging->options);
    task["LogDriver"] = std::move(driver);
  }
  task["ForceUpdate"] = 0;
  return task;
}

}  // namespace

Result<Json> service_spec(const config::Spec& spec, const std::string& stack,
                          const config::Service& service) {
  Json result = {{"Name", stack + "_" + service.name},
                 {"Labels", stack_labels(stack, service.deploy.labels)}};
  result["Labels"][kImageLabel] = service.image;
  HIVE_ASSIGN(result["TaskTemplate"], task_template(spec, stack, service));
  result["Mode"] = mode(service.deploy);
  if (service.deploy.update_config) {
    result["UpdateConfig"] = update_config(*service.deploy.update_config);
  }
  if (service.deploy.rollback_config) {
    result["RollbackConfig"] = update_config(*service.deploy.rollback_config);
  }
  result["EndpointSpec"] = endpoint(service);
  return result;
}

}  // namespace hive::stack::parts
