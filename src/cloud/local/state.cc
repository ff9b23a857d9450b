#include "cloud/local/state.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "base/json.h"
#include "os/file.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

fs::path parent_from(const char* variable, const char* fallback) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? value : fallback;
}

std::uint64_t fingerprint(const std::string& text) {  // FNV-1a
  std::uint64_t hash = 1469598103934665603U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211U;
  }
  return hash;
}

tl::unexpected<Error> damaged(const fs::path& path, const std::string& cluster) {
  return fail(Errc::kCorrupt,
              fmt::format("the state file {} is damaged; 'hive down --cluster {}' removes the "
                          "cluster without needing it, then 'hive up' makes it anew",
                          path.string(), cluster));
}

Result<Json> read_record(const fs::path& path, const std::string& cluster) {
  HIVE_ASSIGN(const std::string text, os::read_file(path, 1U << 20));
  auto parsed = parse_json(text, path.string());
  if (!parsed || !parsed->is_object()) return damaged(path, cluster);
  return parsed;
}

InstanceState state_from(const std::string& text) {
  for (const auto state : {InstanceState::kPending, InstanceState::kRunning,
                           InstanceState::kStopped, InstanceState::kTerminated})
    if (to_string(state) == text) return state;
  return InstanceState::kStopped;
}

std::vector<std::string> directory_names(const fs::path& parent) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(parent, error), end; !error && at != end; at.increment(error))
    out.push_back(at->path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Result<Paths> paths_of(const std::string& cluster) {
  bool ok = !cluster.empty() && cluster.size() <= 31 && cluster.front() >= 'a' &&
            cluster.front() <= 'z' && cluster.back() != '-';
  for (const char c : cluster)
    ok = ok && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
  if (!ok)
    return fail(Errc::kInvalidArgument,
                fmt::format("\"{}\" is no cluster name: at most 31 of a-z, 0-9 and -, starting "
                            "with a letter and not ending with -",
                            cluster));
  return Paths{cluster, parent_from("HIVE_STATE_DIR", "/var/lib/hive") / cluster,
               parent_from("HIVE_RUN_DIR", "/run/hive") / cluster};
}

Status save_instance(const Paths& paths, const InstanceRecord& record) {
  const Json json{{"id", record.id},
                  {"hostname", record.hostname},
                  {"role", record.role},
                  {"address", record.address},
                  {"token", record.token},
                  {"host_number", record.host_number},
                  {"state", std::string(to_string(record.state))},
                  {"launched_unix_ms", record.launched_unix_ms},
                  {"pid", record.pid},
                  {"start_time", record.start_time}};
  HIVE_TRY(os::make_directories(paths.instance(record.id), 0700));
  return os::write_file_atomically(paths.instance(record.id) / "instance.json", json.dump(2), 0600);
}

Result<InstanceRecord> load_instance(const Paths& paths, const std::string& id) {
  const auto file = paths.instance(id) / "instance.json";
  HIVE_ASSIGN(const Json json, read_record(file, paths.cluster));
  InstanceRecord out;
  out.id = json_string(json, "id");
  out.hostname = json_string(json, "hostname");
  out.role = json_string(json, "role");
  out.address = json_string(json, "address");
  out.token = json_string(json, "token");
  out.host_number = static_cast<int>(json_int(json, "host_number"));
  out.state = state_from(json_string(json, "state"));
  out.launched_unix_ms = json_int(json, "launched_unix_ms");
  out.pid = static_cast<pid_t>(json_int(json, "pid"));
  out.start_time = static_cast<unsigned long long>(json_int(json, "start_time"));
  if (out.id != id || out.address.empty()) return damaged(file, paths.cluster);
  return out;
}

Result<std::vector<InstanceRecord>> load_instances(const Paths& paths) {
  std::vector<InstanceRecord> out;
  for (const auto& id : directory_names(paths.instances())) {
    auto record = load_instance(paths, id);
    // Killed between making the directory and writing the record: nothing was started yet.
    if (!record && record.error().code == Errc::kNotFound) continue;
    if (!record) return tl::unexpected(record.error());
    out.push_back(std::move(*record));
  }
  return out;
}

Status save_cluster(const Paths& paths, const LocalCluster& cluster) {
  const Json json{{"name", cluster.name},
                  {"network", cluster.network},
                  {"registry_user", cluster.registry_user},
                  {"registry_password", cluster.registry_password}};
  return os::write_file_atomically(paths.cluster_file(), json.dump(2), 0600);
}

Result<LocalCluster> load_cluster(const Paths& paths) {
  auto read = read_record(paths.cluster_file(), paths.cluster);
  if (!read && read.error().code == Errc::kNotFound)
    return fail(Errc::kNotFound,
                fmt::format("there is no local cluster \"{}\" on this machine", paths.cluster));
  if (!read) return tl::unexpected(read.error());
  LocalCluster out;
  out.name = json_string(*read, "name");
  out.network = static_cast<int>(json_int(*read, "network", -1));
  out.registry_user = json_string(*read, "registry_user");
  out.registry_password = json_string(*read, "registry_password");
  if (out.name != paths.cluster || out.network < 0 || out.network > 255 ||
      out.registry_password.empty())
    return damaged(paths.cluster_file(), paths.cluster);
  out.subnet = fmt::format("10.77.{}.0/24", out.network);
  out.gateway = fmt::format("10.77.{}.1", out.network);
  out.bridge = fmt::format("hivebr{}", out.network);
  out.registry = "registry.hive:5001";
  out.registry_at = out.gateway + ":5001";
  return out;
}

Result<LocalCluster> read_cluster(const std::string& name) {
  HIVE_ASSIGN(const Paths paths, paths_of(name));
  return load_cluster(paths);
}

Result<std::vector<std::string>> list_clusters() {
  auto out = directory_names(parent_from("HIVE_STATE_DIR", "/var/lib/hive"));
  for (auto& name : directory_names(parent_from("HIVE_RUN_DIR", "/run/hive"))) out.push_back(name);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  std::erase_if(out, [](const std::string& name) { return !paths_of(name).has_value(); });
  return out;
}

std::string environment_mark(const Paths& paths) {
  return "HIVE_LOCAL_CLOUD=" + paths.state.string();
}

std::string bridge_mark(const Paths& paths) {
  const std::uint64_t h = fingerprint(paths.state.string());
  return fmt::format("02:68:{:02x}:{:02x}:{:02x}:{:02x}", h & 255U, (h >> 8U) & 255U,
                     (h >> 16U) & 255U, (h >> 24U) & 255U);
}

std::string firewall_mark(const Paths& paths) { return "hive:" + paths.state.string(); }

std::string cgroup_place(const Paths& paths) {
  return fmt::format("hive/{}-{:08x}", paths.cluster, fingerprint(paths.state.string()) >> 32U);
}

}  // namespace hive::cloud::local
