#include "cli/reach.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "cloud/local/local.h"
#include "engine/docker/client.h"
#include "os/file.h"

namespace hive::cli {
namespace {

namespace fs = std::filesystem;

std::string from_environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

Result<std::unique_ptr<engine::Engine>> connect_to(const std::string& host) {
  engine::docker::EngineOptions options;
  options.host = host;
  return engine::docker::connect(options);
}

std::string socket_path(const std::string& host) {
  return host.starts_with("unix://") ? host.substr(7) : std::string();
}

// The first manager that answers as one: an engine that lost its swarm or its quorum is no use.
Result<std::unique_ptr<engine::Engine>> reach_cluster(const std::string& cluster) {
  const auto hosts = manager_engines(cluster);
  std::string why = "it has no manager instance";
  for (const auto& host : hosts) {
    std::error_code ignored;
    if (!fs::exists(socket_path(host), ignored)) {
      why = "no engine listens at " + host;
      continue;
    }
    HIVE_ASSIGN(auto engine, connect_to(host));
    const auto swarm = engine->swarm_inspect();
    if (swarm) return engine;
    why = swarm.error().message;
  }
  return fail(Errc::kUnavailable, "cluster " + cluster + ": none of its " +
                                      std::to_string(hosts.size()) + " managers answers: " + why +
                                      ". 'hive up' repairs it, 'hive doctor' says more");
}

}  // namespace

std::string state_parent() { return from_environment("HIVE_STATE_DIR", "/var/lib/hive"); }
std::string run_parent() { return from_environment("HIVE_RUN_DIR", "/run/hive"); }

std::vector<std::string> local_clusters() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(state_parent(), error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (fs::exists(it->path() / "cluster.json", ignored))
      names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> pick_cluster(const Globals& globals) {
  const auto names = local_clusters();
  if (!globals.cluster.empty()) {
    if (std::find(names.begin(), names.end(), globals.cluster) != names.end())
      return globals.cluster;
    std::string message = "there is no local cluster '" + globals.cluster + "'";
    if (const auto near = did_you_mean(globals.cluster, names))
      message += ": did you mean '" + *near + "'?";
    return fail(Errc::kNotFound, message);
  }
  if (names.size() == 1) return names.front();
  if (names.empty()) return fail(Errc::kNotFound, "there is no local cluster; 'hive up' makes one");
  return fail(Errc::kInvalidArgument, "there are several local clusters (" + join(names, ", ") +
                                          "): choose one with --cluster NAME");
}

std::vector<std::string> manager_engines(const std::string& cluster) {
  // A local instance's runtime directory is visible here; its role is in the state's record, but
  // any engine that answers as a manager will do.
  std::vector<std::string> hosts;
  std::error_code error;
  for (fs::directory_iterator it(fs::path(run_parent()) / cluster / "instances", error), end;
       !error && it != end; it.increment(error))
    hosts.push_back("unix://" + (it->path() / "run/docker.sock").string());
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

engine::RegistryAuth cluster_registry_auth(const std::string& cluster,
                                           const std::string& registry) {
  engine::RegistryAuth auth;
  const auto record = cloud::local::read_cluster(cluster);
  if (!record || record->registry != registry) return auth;
  auth.username = record->registry_user;
  auth.password = record->registry_password;
  auth.server_address = registry;
  return auth;
}

Result<std::unique_ptr<engine::Engine>> reach_engine(const Globals& globals) {
  if (!globals.host.empty()) return connect_to(globals.host);
  const auto cluster = pick_cluster(globals);
  if (cluster) return reach_cluster(*cluster);
  if (cluster.error().code == Errc::kInvalidArgument || !globals.cluster.empty())
    return tl::unexpected(cluster.error());
  const std::string socket = "/var/run/docker.sock";
  std::error_code ignored;
  if (!fs::exists(socket, ignored))
    return fail(Errc::kUnavailable,
                "nothing to talk to: there is no local cluster and no engine at unix://" + socket +
                    ". Start one with 'hive up', or name one with --host");
  return connect_to("unix://" + socket);
}

}  // namespace hive::cli
