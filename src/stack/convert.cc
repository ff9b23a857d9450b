#include "stack/convert.h"

#include <set>

#include "base/base64.h"
#include "os/file.h"
#include "stack/convert_parts.h"

namespace hive::stack {

namespace {

// Swarm refuses configs above 1,000 KiB and secrets above 500 KiB by itself.
constexpr std::size_t kMaxObjectBytes = 1U << 20;

std::set<std::string> used_networks(const config::Spec& spec) {
  std::set<std::string> used;
  for (const auto& [name, service] : spec.services) {
    if (service.networks.empty()) used.insert("default");
    for (const auto& [network, settings] : service.networks) used.insert(network);
  }
  return used;
}

Json network_request(const std::string& stack, const std::string& name,
                     const config::Network& network) {
  Json request = {{"Name", name},
                  {"CheckDuplicate", true},
                  {"Driver", network.driver.empty() ? "overlay" : network.driver},
                  {"Internal", network.internal},
                  {"Attachable", network.attachable},
                  {"Options", network.driver_opts},
                  {"Labels", parts::stack_labels(stack, network.labels)}};
  if (!network.ipam_driver.empty() || !network.ipam_subnets.empty()) {
    Json ipam = {{"Driver", network.ipam_driver}, {"Config", Json::array()}};
    for (const auto& subnet : network.ipam_subnets) ipam["Config"].push_back({{"Subnet", subnet}});
    request["IPAM"] = std::move(ipam);
  }
  return request;
}

Status convert_networks(const config::Spec& spec, Conversion& out) {
  for (const auto& key : used_networks(spec)) {
    const auto found = spec.networks.find(key);
    if (found == spec.networks.end() && key != "default") {
      return fail(Errc::kInvalidArgument,
                  "network \"" + key + "\" is used by a service but not in top-level networks");
    }
    const config::Network network =
        found == spec.networks.end() ? config::Network{} : found->second;
    if (network.external) {
      out.external_networks.push_back(network.name.empty() ? key : network.name);
      continue;
    }
    const std::string name = parts::scoped(out.stack, key, network.name);
    out.networks.push_back({key, name, network_request(out.stack, name, network)});
  }
  return {};
}

Result<Json> object_spec(const std::string& what, const std::string& stack, const std::string& name,
                         const config::FileObject& object, const ConvertOptions& options) {
  Json spec = {{"Name", name}, {"Labels", parts::stack_labels(stack, object.labels)}};
  if (!object.driver.empty()) {
    spec["Driver"] = {{"Name", object.driver}, {"Options", object.driver_opts}};
  } else {
    auto content = options.read_file ? options.read_file(object.file)
                                     : os::read_file(object.file, kMaxObjectBytes);
    if (!content) return annotate(content.error(), what + " " + name);
    spec["Data"] = base64_encode(*content);
  }
  if (!object.template_driver.empty()) spec["Templating"] = {{"Name", object.template_driver}};
  return spec;
}

Status convert_objects(const std::string& what,
                       const std::map<std::string, config::FileObject>& from,
                       const ConvertOptions& options, std::vector<Object>& to) {
  for (const auto& [key, object] : from) {
    if (object.external) continue;
    const std::string name = parts::scoped(options.stack, key, object.name);
    HIVE_ASSIGN(Json spec, object_spec(what, options.stack, name, object, options));
    to.push_back({key, name, std::move(spec)});
  }
  return {};
}

void fill(Json& references, const char* name_key, const char* id_key, const std::string& kind,
          const std::map<std::string, std::string>& ids, std::vector<std::string>& missing) {
  for (auto& reference : references) {
    const std::string name = json_string(reference, name_key);
    const auto found = ids.find(name);
    if (found == ids.end()) {
      missing.push_back(kind + " " + name);
    } else {
      reference[id_key] = found->second;
    }
  }
}

// The credential spec names a config by its name until the id is known.
void fill_credential_spec(Json& container, const ObjectIds& ids) {
  const Json* wanted = json_path(container, "Privileges.CredentialSpec.Config");
  if (wanted == nullptr || !wanted->is_string()) return;
  const auto found = ids.configs.find(wanted->get<std::string>());
  if (found != ids.configs.end()) {
    container["Privileges"]["CredentialSpec"]["Config"] = found->second;
  }
}

}  // namespace

namespace parts {

std::string scoped(const std::string& stack, const std::string& key, const std::string& name) {
  return name.empty() ? stack + "_" + key : name;
}

Json stack_labels(const std::string& stack, const config::StringMap& labels) {
  Json result = labels;
  if (result.is_null()) result = Json::object();
  result[kNamespaceLabel] = stack;
  return result;
}

bool user_defined(const std::string& network) {
  return network != "default" && network != "bridge" && network != "host" && network != "none" &&
         !network.starts_with("container:");
}

}  // namespace parts

Result<Conversion> convert(const config::Spec& spec, const ConvertOptions& options) {
  Conversion out;
  out.stack = options.stack;
  if (options.stack.empty()) return fail(Errc::kInvalidArgument, "a stack needs a name");
  HIVE_TRY(convert_networks(spec, out));
  HIVE_TRY(convert_objects("secret", spec.secrets, options, out.secrets));
  HIVE_TRY(convert_objects("config", spec.configs, options, out.configs));
  for (const auto& [key, service] : spec.services) {
    auto converted = parts::service_spec(spec, options.stack, service);
    if (!converted) return annotate(converted.error(), "service " + key);
    out.services.push_back({key, options.stack + "_" + key, std::move(*converted)});
  }
  return out;
}

std::vector<std::string> fill_references(Json& service_spec, const ObjectIds& ids) {
  std::vector<std::string> missing;
  Json& container = service_spec["TaskTemplate"]["ContainerSpec"];
  if (container.contains("Secrets")) {
    fill(container["Secrets"], "SecretName", "SecretID", "secret", ids.secrets, missing);
  }
  if (container.contains("Configs")) {
    fill(container["Configs"], "ConfigName", "ConfigID", "config", ids.configs, missing);
  }
  fill_credential_spec(container, ids);
  return missing;
}

}  // namespace hive::stack
