#include "cli/reach.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

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

// Swarm elects a leader within twice its election tick of 10 s, which docker 20.10 lets nobody set.
// Two that stand for it at once begin anew: on a busy machine several times.
constexpr Milliseconds kElection{90'000};
// One manager alone elects nobody: others may be about to answer again.
constexpr Milliseconds kOthersAnswer{45'000};
constexpr Milliseconds kEngineAnswers{3'000};  // of one engine, asked which it is
constexpr Milliseconds kPause{300};

Result<std::unique_ptr<engine::Engine>> connect_to(const std::string& host,
                                                   Milliseconds deadline = Milliseconds(10'000)) {
  engine::docker::EngineOptions options;
  options.host = host;
  options.deadline = deadline;
  return engine::docker::connect(options);
}

std::string socket_path(const std::string& host) {
  return host.starts_with("unix://") ? host.substr(7) : std::string();
}

// Asks an engine whether it speaks for its swarm: one that lost swarm or quorum is no use.
Status speaks_for_swarm(const std::string& host) {
  std::error_code ignored;
  if (!fs::exists(socket_path(host), ignored))
    return fail(Errc::kUnavailable, "no engine listens at " + host);
  HIVE_ASSIGN(const auto engine, connect_to(host, kEngineAnswers));
  HIVE_TRY(engine->swarm_inspect());
  return {};
}

// Managers that are between two leaders: they answer so, or do not answer at all meanwhile.
bool may_be_electing(const Error& error) {
  return error.code == Errc::kDeadlineExceeded ||
         error.message.find("does not have a leader") != std::string::npos;
}

Result<Reached> reached(const std::string& host) {
  HIVE_ASSIGN(auto engine, connect_to(host));
  return Reached{std::move(engine), host};
}

// A manager that answers. All are asked at once, since one that hangs must not hold up the command;
// while they elect a leader they are waited for.
Result<Reached> reach_cluster(const std::string& cluster, const Notice& notice) {
  const SystemClock clock;
  const auto begun = clock.now();
  std::string why = "it has no manager instance";
  for (bool first = true;; first = false) {
    const auto hosts = manager_engines(cluster);
    std::vector<Status> answers(hosts.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < hosts.size(); ++i)
      threads.emplace_back([&, i] { answers[i] = speaks_for_swarm(hosts[i]); });
    for (auto& thread : threads) thread.join();
    int electing = 0;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      if (answers[i]) return reached(hosts[i]);
      const bool worth_waiting = may_be_electing(answers[i].error());
      if (worth_waiting || electing == 0) why = answers[i].error().message;
      electing += worth_waiting ? 1 : 0;
    }
    if (electing == 0 || clock.now() - begun > (electing > 1 ? kElection : kOthersAnswer))
      return fail(Errc::kUnavailable, "cluster " + cluster + ": none of its managers answers: " +
                                          why + ". 'hive up' repairs it, 'hive doctor' says more");
    if (first && notice) notice("the managers of " + cluster + " have no leader; waiting for one");
    std::this_thread::sleep_for(kPause);
  }
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

Result<Reached> reach_engine(const Globals& globals, const Notice& notice) {
  if (!globals.host.empty()) return reached(globals.host);
  const auto cluster = pick_cluster(globals);
  if (cluster) return reach_cluster(*cluster, notice);
  if (cluster.error().code == Errc::kInvalidArgument || !globals.cluster.empty())
    return tl::unexpected(cluster.error());
  const std::string host = from_environment("DOCKER_HOST", "unix:///var/run/docker.sock");
  std::error_code ignored;
  if (host.starts_with("unix://") && !fs::exists(socket_path(host), ignored))
    return fail(Errc::kUnavailable,
                "nothing to talk to: there is no local cluster" +
                    std::string(geteuid() == 0 ? "" : " that can be seen without root") +
                    " and no engine at " + host +
                    ". Start one with 'hive up', or name one with --host");
  return reached(host);
}

}  // namespace hive::cli
