#include "stack/convert.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "os/file.h"
#include "stack/convert_parts.h"

namespace hive::stack {

namespace {

// More than Swarm takes of either.
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

// Swarm's own rules for the names and contents that only a stack's name and its files show.
struct ObjectKind {
  const char* name;
  std::size_t most_bytes;
};
constexpr ObjectKind kSecret{"secret", 500UL << 10};
constexpr ObjectKind kConfig{"config", 1000UL << 10};
constexpr std::size_t kLongestObjectName = 64;
constexpr std::size_t kLongestServiceName = 63;

Status check_object_name(const std::string& name) {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  const auto ends = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (!name.empty() && name.size() <= kLongestObjectName && ends(name.front()) &&
      ends(name.back()) && std::all_of(name.begin(), name.end(), fits))
    return {};
  return fail(
      Errc::kInvalidArgument,
      "its name \"" + name +
          "\" must be 1 to 64 letters, digits, '-', '_' or '.', the first and last of them a "
          "letter or digit");
}

Result<std::string> content_of(const ObjectKind& kind, const config::FileObject& object,
                               const ConvertOptions& options) {
  HIVE_ASSIGN(std::string content, options.read_file ? options.read_file(object.file)
                                                     : os::read_file(object.file, kMaxObjectBytes));
  if (content.empty())
    return fail(Errc::kInvalidArgument,
                object.file + " is empty, and Swarm takes no empty " + kind.name);
  if (content.size() >= kind.most_bytes)
    return fail(Errc::kInvalidArgument, object.file + " has " + std::to_string(content.size()) +
                                            " bytes, and Swarm takes less than " +
                                            std::to_string(kind.most_bytes));
  return content;
}

Result<Json> object_spec(const ObjectKind& kind, const std::string& name,
                         const config::FileObject& object, const ConvertOptions& options) {
  HIVE_TRY(check_object_name(name));
  Json spec = {{"Name", name}, {"Labels", parts::stack_labels(options.stack, object.labels)}};
  if (!object.driver.empty()) {
    spec["Driver"] = {{"Name", object.driver}, {"Options", object.driver_opts}};
  } else {
    HIVE_ASSIGN(const std::string content, content_of(kind, object, options));
    spec["Data"] = base64_encode(content);
  }
  if (!object.template_driver.empty()) spec["Templating"] = {{"Name", object.template_driver}};
  return spec;
}

// One stack's conversion; goes on past a fault, so that all are told at once.
class Converter {
 public:
  Converter(const config::Spec& spec, const ConvertOptions& options)
      : spec_(spec), options_(options) {}

  Result<Conversion> run() {
    out_.stack = options_.stack;
    HIVE_TRY(convert_networks(spec_, out_));
    objects(kSecret, spec_.secrets, out_.secrets);
    objects(kConfig, spec_.configs, out_.configs);
    for (const auto& [key, service] : spec_.services) one_service(key, service);
    if (!faults_) return std::move(out_);
    faults_->message = join(lines_, "\n");
    return tl::unexpected(*faults_);
  }

 private:
  // "hive.yml:8:5: secret key: ..."
  void fault(const std::string& path, const std::string& what, const Error& error) {
    const std::string where = spec_.where(path);
    lines_.push_back((where.empty() ? "" : where + ": ") + what + ": " + error.message);
    if (!faults_) faults_ = error;
  }

  void objects(const ObjectKind& kind, const std::map<std::string, config::FileObject>& from,
               std::vector<Object>& to) {
    for (const auto& [key, object] : from) {
      if (object.external) continue;
      const std::string name = parts::scoped(options_.stack, key, object.name);
      auto spec = object_spec(kind, name, object, options_);
      if (spec)
        to.push_back({key, name, std::move(*spec)});
      else
        fault(std::string(kind.name) + "s." + key + ".file", kind.name + (" " + key), spec.error());
    }
  }

  void one_service(const std::string& key, const config::Service& service) {
    const std::string name = options_.stack + "_" + key;
    auto spec = parts::service_spec(spec_, options_.stack, service);
    if (name.size() > kLongestServiceName)
      spec = fail(Errc::kInvalidArgument, "its name \"" + name + "\" is longer than 63 letters");
    if (spec)
      out_.services.push_back({key, name, std::move(*spec)});
    else
      fault("services." + key, "service " + key, spec.error());
  }

  const config::Spec& spec_;
  const ConvertOptions& options_;
  Conversion out_;
  std::optional<Error> faults_;  // the first one's code
  std::vector<std::string> lines_;
};

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
  if (options.stack.empty()) return fail(Errc::kInvalidArgument, "a stack needs a name");
  return Converter(spec, options).run();
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
