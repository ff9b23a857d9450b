// The port Cloud, spoken to the cluster's daemon over its socket; and the starting of that daemon.
#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "cloud/local/api.h"
#include "cloud/local/daemon.h"
#include "cloud/local/network.h"
#include "cloud/local/state.h"
#include "net/http_client.h"
#include "os/file.h"
#include "os/process.h"
#include "os/secret.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

class Client final : public Cloud {
 public:
  explicit Client(const std::string& socket)
      : socket_(socket), http_(net::Target{.base_url = "http://cloud", .unix_socket = socket}) {}

  Result<Instance> launch(const LaunchRequest& request) override {
    HIVE_ASSIGN(const Json json, call("POST", "/v1/instances", to_json(request).dump()));
    return instance_from(json);
  }
  Result<std::vector<Instance>> list_instances() override {
    HIVE_ASSIGN(const Json json, call("GET", "/v1/instances"));
    std::vector<Instance> out;
    for (const auto& one : json) out.push_back(instance_from(one));
    return out;
  }
  Status start(const std::string& id) override { return act(id, "start"); }
  Status stop(const std::string& id) override { return act(id, "stop"); }
  Status terminate(const std::string& id) override { return act(id, "terminate"); }
  Status power_off(const std::string& id) override { return act(id, "power-off"); }
  Result<std::string> console_output(const std::string& id, std::size_t max_bytes) override {
    HIVE_ASSIGN(const Json json, call("GET", fmt::format("/v1/instances/{}/console?max={}",
                                                         net::percent_encode(id), max_bytes)));
    return json_string(json, "output");
  }
  Status join(const std::string& id, const SwarmPlace& place) override {
    return done(call("POST", fmt::format("/v1/instances/{}/join", net::percent_encode(id)),
                     to_json(place).dump()));
  }
  Status ensure_balancer(const BalancerSpec& spec) override {
    return done(call("PUT", "/v1/balancer", to_json(spec).dump()));
  }
  Status register_instance(const std::string& id) override {
    return done(call("PUT", "/v1/balancer/targets/" + net::percent_encode(id)));
  }
  Status deregister_instance(const std::string& id) override {
    return done(call("DELETE", "/v1/balancer/targets/" + net::percent_encode(id)));
  }
  Result<BalancerStatus> balancer() override {
    HIVE_ASSIGN(const Json json, call("GET", "/v1/balancer"));
    return balancer_status_from(json);
  }

 private:
  static Status done(const Result<Json>& answer) {
    if (!answer) return tl::unexpected(answer.error());
    return {};
  }
  Status act(const std::string& id, const char* verb) {
    return done(call("POST", fmt::format("/v1/instances/{}/{}", net::percent_encode(id), verb)));
  }
  Result<Json> call(const char* method, const std::string& path, std::string body = "") {
    net::Request request;
    request.method = method;
    request.path = path;
    request.body = std::move(body);
    request.deadline =
        Milliseconds(180'000);  // a termination drains, then waits for the orderly stop
    request.max_response_bytes = 64U << 20;
    const auto answer = http_.send(request);
    if (!answer) return annotate(answer.error(), "the local cloud at " + socket_);
    if (answer->status >= 300) return tl::unexpected(error_from(answer->body, answer->status));
    return parse_json(answer->body, "the local cloud's answer");
  }

  std::string socket_;
  net::HttpClient http_;
};

// A new file each time, put there by rename: the old one may be mapped by running instances.
Status install(const fs::path& source, const fs::path& target) {
  std::error_code error;
  if (fs::equivalent(source, target, error)) return {};
  const fs::path fresh = target.string() + ".new";
  fs::remove(fresh, error);
  HIVE_TRY(os::run_ok({"cp", "--reflink=auto", source.string(), fresh.string()}));
  fs::permissions(fresh, fs::perms(0755), error);
  fs::rename(fresh, target, error);
  if (error)
    return fail(Errc::kInternal,
                fmt::format("installing {}: {}", target.string(), error.message()));
  return {};
}

// hive, and the hive-init that was built with it.
Status install_binaries(const Paths& paths, const std::string& given) {
  std::error_code error;
  const fs::path source =
      given.empty() ? fs::read_symlink("/proc/self/exe", error) : fs::path(given);
  HIVE_TRY(os::make_directories(paths.binary().parent_path(), 0755));
  HIVE_TRY(install(source, paths.binary()));
  return install(source.parent_path() / "hive-init", paths.init_binary());
}

bool answers(const Paths& paths) {
  net::HttpClient http(
      net::Target{.base_url = "http://cloud", .unix_socket = paths.socket().string()});
  net::Request request;
  request.path = "/v1/status";
  request.deadline = Milliseconds(1'000);
  const auto answer = http.send(request);
  return answer && answer->status == 200;
}

std::string last_line(const fs::path& log) {
  auto text = os::read_file(log);
  if (!text) return {};
  while (!text->empty() && text->back() == '\n') text->pop_back();
  const auto at = text->rfind('\n');
  return at == std::string::npos ? *text : text->substr(at + 1);
}

}  // namespace

std::unique_ptr<Cloud> connect_socket(const std::string& socket_path) {
  return std::make_unique<Client>(socket_path);
}

std::unique_ptr<Cloud> connect(const std::string& name) {
  const auto paths = paths_of(name);
  return connect_socket(paths ? paths->socket().string() : "/nonexistent/cloud.sock");
}

Result<LocalCluster> create_cluster(const std::string& name, const std::string& subnet) {
  HIVE_ASSIGN(const Paths paths, paths_of(name));
  HIVE_TRY(os::make_directories(paths.state.parent_path(), 0700));
  // Two clusters made at once must not choose the same network.
  std::optional<os::FileLock> lock;
  for (int tries = 0; !lock; ++tries) {
    auto got = os::FileLock::try_acquire(paths.state.parent_path() / ".lock");
    if (got) {
      lock = std::move(*got);
    } else if (tries > 500 || got.error().code != Errc::kFailedPrecondition) {
      return tl::unexpected(got.error());
    } else {
      ::usleep(10'000);
    }
  }
  auto there = load_cluster(paths);
  if (there && !subnet.empty() && there->subnet != subnet)
    return fail(Errc::kAlreadyExists,
                fmt::format("cluster {} is at {}, and x-hive.subnet is {}: a cluster's network "
                            "changes by 'hive down' and 'hive up' alone",
                            name, there->subnet, subnet));
  if (there || there.error().code != Errc::kNotFound) return there;
  LocalCluster cluster;
  cluster.name = name;
  HIVE_ASSIGN(cluster.network, choose_network(paths, subnet));
  cluster.registry_user = "hive";
  HIVE_ASSIGN(cluster.registry_password, os::random_hex(16));
  HIVE_TRY(os::make_directories(paths.state, 0700));
  ::chmod(paths.state.c_str(), 0700);
  HIVE_TRY(save_cluster(paths, cluster));
  return load_cluster(paths);
}

Status ensure_server(const std::string& name, const std::string& hive_binary,
                     Milliseconds deadline) {
  HIVE_ASSIGN(const Paths paths, paths_of(name));
  HIVE_TRY(load_cluster(paths));
  if (::geteuid() != 0)
    return fail(Errc::kPermissionDenied,
                "the local cloud needs root: namespaces, mounts and links");
  if (running_daemon(paths, "cloud-server") != 0 && answers(paths)) return {};
  HIVE_TRY(os::make_directories(paths.run, 0700));
  HIVE_TRY(install_binaries(paths, hive_binary));
  HIVE_ASSIGN(const pid_t pid,
              start_daemon(paths, "cloud-server",
                           {paths.binary().string(), "cloud-server", "--cluster", name}));
  HIVE_ASSIGN(const auto since, os::start_time(pid));
  for (int waited = 0; waited < deadline.count(); waited += 10) {
    if (answers(paths)) return {};
    if (!os::alive(pid, since)) break;
    ::usleep(10'000);
  }
  return fail(Errc::kUnavailable,
              fmt::format("the local cloud's daemon does not start: {} (see {})",
                          last_line(paths.server_log()), paths.server_log().string()));
}

std::string default_user_data(const LocalCluster& cluster, const std::string& role) {
  // The engine's cgroup-parent is the instance's own, known only inside it.
  std::string out = "#!/bin/sh\nset -e\n";
  out += "service() { /usr/local/bin/hive instance-init service \"$@\"; }\n";
  out += fmt::format(
      "service 10-dockerd --stop-seconds 20 -- /usr/sbin/dockerd "
      "--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent=$HIVE_CGROUP "
      "--userland-proxy=false --init-path /usr/local/bin/hive-init "
      "--insecure-registry {} --insecure-registry {}\n",
      cluster.registry, cluster.registry_at);
  // Stopped in reverse: the agent empties the node while controller and engine still run.
  if (role == "manager")
    out += "service 20-controller --restart --stop-seconds 10 -- /usr/local/bin/hive controller\n";
  out += "service 30-agent --restart --stop-seconds 75 -- /usr/local/bin/hive agent\n";
  return out;
}

}  // namespace hive::cloud::local
