#include <algorithm>

#include "stack/convert_parts.h"

namespace hive::stack::parts {

namespace {

constexpr std::uint32_t kDefaultFileMode = 0444;

tl::unexpected<Error> not_together(const char* options, const std::string& type,
                                   const std::string& target) {
  return fail(Errc::kInvalidArgument, std::string(options) + " options do not go with type " +
                                          type + " (mount at " + target + "); remove them");
}

Status check_options(const config::ServiceVolume& volume, const std::string& type) {
  if (volume.bind_propagation && type != "bind" && type != "npipe") {
    return not_together("bind", type, volume.target);
  }
  if (volume.volume_nocopy && type != "volume") return not_together("volume", type, volume.target);
  if (volume.tmpfs_size && type != "tmpfs") return not_together("tmpfs", type, volume.target);
  if ((type == "bind" || type == "npipe") && volume.source.empty()) {
    return fail(Errc::kInvalidArgument, "the " + type + " mount at " + volume.target +
                                            " has no source; say which path to mount");
  }
  if (type == "tmpfs" && !volume.source.empty()) {
    return fail(Errc::kInvalidArgument,
                "the tmpfs mount at " + volume.target + " has a source; remove it");
  }
  return {};
}

Json plain_mount(const config::ServiceVolume& volume) {
  Json mount = Json::object();
  if (!volume.type.empty()) mount["Type"] = volume.type;
  if (!volume.source.empty()) mount["Source"] = volume.source;
  if (!volume.target.empty()) mount["Target"] = volume.target;
  if (volume.read_only) mount["ReadOnly"] = true;
  if (!volume.consistency.empty()) mount["Consistency"] = volume.consistency;
  return mount;
}

Result<Json> volume_mount(const config::Spec& spec, const std::string& stack,
                          const config::ServiceVolume& volume) {
  Json mount = plain_mount(volume);
  if (volume.source.empty()) return mount;  // anonymous
  const auto found = spec.volumes.find(volume.source);
  if (found == spec.volumes.end()) {
    return fail(Errc::kInvalidArgument, "volume \"" + volume.source + "\" (mount at " +
                                            volume.target + ") is not in top-level volumes");
  }
  const config::Volume& named = found->second;
  mount["Source"] = scoped(stack, volume.source, named.name);
  Json options = Json::object();
  if (volume.volume_nocopy.value_or(false)) options["NoCopy"] = true;
  if (!named.external) {
    options["Labels"] = stack_labels(stack, named.labels);
    if (!named.driver.empty() || !named.driver_opts.empty()) {
      Json driver = Json::object();
      if (!named.driver.empty()) driver["Name"] = named.driver;
      if (!named.driver_opts.empty()) driver["Options"] = named.driver_opts;
      options["DriverConfig"] = std::move(driver);
    }
  }
  mount["VolumeOptions"] = std::move(options);
  return mount;
}

Result<Json> one_mount(const config::Spec& spec, const std::string& stack,
                       const config::ServiceVolume& volume) {
  const std::string type = volume.type.empty() ? "volume" : volume.type;
  if (type != "volume" && type != "bind" && type != "tmpfs" && type != "npipe") {
    return fail(Errc::kInvalidArgument, "mount type \"" + type + "\" at " + volume.target +
                                            " is not one of volume, bind, tmpfs, npipe");
  }
  HIVE_TRY(check_options(volume, type));
  if (type == "volume") return volume_mount(spec, stack, volume);
  Json mount = plain_mount(volume);
  if (volume.bind_propagation) {
    mount["BindOptions"] = Json::object();
    if (!volume.bind_propagation->empty()) {
      mount["BindOptions"]["Propagation"] = *volume.bind_propagation;
    }
  }
  if (volume.tmpfs_size) {
    mount["TmpfsOptions"] = Json::object();
    if (*volume.tmpfs_size != 0) mount["TmpfsOptions"]["SizeBytes"] = *volume.tmpfs_size;
  }
  return mount;
}

struct ReferenceKeys {
  const char* kind;
  const char* id;
  const char* name;
};

Result<Json> references(const std::vector<config::FileReference>& wanted,
                        const std::map<std::string, config::FileObject>& objects,
                        const std::string& stack, const ReferenceKeys& keys) {
  std::vector<Json> list;
  for (const auto& reference : wanted) {
    const auto found = objects.find(reference.source);
    if (found == objects.end()) {
      return fail(Errc::kInvalidArgument, std::string(keys.kind) + " \"" + reference.source +
                                              "\" is not in top-level " + keys.kind + "s");
    }
    const std::string target = reference.target.empty() ? reference.source : reference.target;
    list.push_back({{"File",
                     {{"Name", target},
                      {"UID", reference.uid.empty() ? "0" : reference.uid},
                      {"GID", reference.gid.empty() ? "0" : reference.gid},
                      {"Mode", reference.mode.value_or(kDefaultFileMode)}}},
                    {keys.id, ""},
                    {keys.name, scoped(stack, reference.source, found->second.name)}});
  }
  // By name and target, so that another order in the file restarts nothing.
  std::sort(list.begin(), list.end(), [&](const Json& a, const Json& b) {
    return std::pair(json_string(a, keys.name), json_string(a, "File.Name")) <
           std::pair(json_string(b, keys.name), json_string(b, "File.Name"));
  });
  return Json(list);
}

}  // namespace

Result<Json> mounts(const config::Spec& spec, const std::string& stack,
                    const config::Service& service) {
  Json list = Json::array();
  for (const auto& volume : service.volumes) {
    HIVE_ASSIGN(Json mount, one_mount(spec, stack, volume));
    list.push_back(std::move(mount));
  }
  return list;
}

Result<Json> secret_references(const config::Spec& spec, const std::string& stack,
                               const config::Service& service) {
  return references(service.secrets, spec.secrets, stack, {"secret", "SecretID", "SecretName"});
}

Result<Json> config_references(const config::Spec& spec, const std::string& stack,
                               const config::Service& service) {
  HIVE_ASSIGN(Json list, references(service.configs, spec.configs, stack,
                                    {"config", "ConfigID", "ConfigName"}));
  if (!service.credential_spec || service.credential_spec->config.empty()) return list;
  const auto found = spec.configs.find(service.credential_spec->config);
  if (found == spec.configs.end()) return list;  // named by the credential spec's own check
  // Not mounted: there for the container's runtime alone.
  list.push_back({{"Runtime", Json::object()},
                  {"ConfigID", ""},
                  {"ConfigName", scoped(stack, found->first, found->second.name)}});
  std::stable_sort(list.begin(), list.end(), [](const Json& a, const Json& b) {
    return json_string(a, "ConfigName") < json_string(b, "ConfigName");
  });
  return list;
}

}  // namespace hive::stack::parts
