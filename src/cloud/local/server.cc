// `hive cloud-server`: the daemon of one local cluster. It owns the doors (the cloud's socket, the
// metadata addresses); instances, balancer and registry are processes that outlive it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "cloud/local/api.h"
#include "cloud/local/balancer.h"
#include "cloud/local/daemon.h"
#include "cloud/local/instance.h"
#include "cloud/local/join.h"
#include "cloud/local/local.h"
#include "cloud/local/main.h"
#include "cloud/local/network.h"
#include "cloud/local/registry.h"
#include "net/http_server.h"
#include "os/file.h"
#include "os/secret.h"

namespace hive::cloud::local {
namespace {

constexpr const char* kMetadataAddress = "169.254.169.254";

Result<int> listen_at_metadata() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(os::errno_error(errno, "opening the metadata socket"));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // The address is set up inside, a moment later.
  ::setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(80);
  ::inet_pton(AF_INET, kMetadataAddress, &at.sin_addr);
  sockaddr generic{};
  std::memcpy(&generic, &at, sizeof generic);
  if (::bind(fd, &generic, sizeof generic) == 0 && ::listen(fd, 64) == 0) return fd;
  const auto error = os::errno_error(errno, "listening at the metadata address");
  ::close(fd);
  return tl::unexpected(error);
}

// A thread of its own enters the instance's network namespace and ends there.
Result<int> open_in_namespace_of(pid_t pid) {
  Result<int> out = fail(Errc::kInternal, "not run");
  std::thread([&] {
    const std::string path = fmt::format("/proc/{}/ns/net", pid);
    const int ns = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (ns < 0 || ::setns(ns, CLONE_NEWNET) != 0)
      out = tl::unexpected(os::errno_error(errno, "entering " + path));
    else
      out = listen_at_metadata();
    if (ns >= 0) ::close(ns);
  }).join();
  return out;
}

net::ServerResponse text(std::string body, int status = 200) {
  net::ServerResponse out;
  out.status = status;
  out.content_type = "text/plain";
  out.body = std::move(body);
  return out;
}

// Instance metadata, version 2: a token by PUT, then reads that carry it.
net::Handler metadata_handler(InstanceRecord r, std::string user_data, std::string token) {
  return [r = std::move(r), user_data = std::move(user_data),
          token = std::move(token)](const net::ServerRequest& q) {
    if (q.path == "/latest/api/token") {
      if (q.method != "PUT") return text("", 405);
      if (q.header("x-aws-ec2-metadata-token-ttl-seconds").empty()) return text("", 400);
      return text(token);
    }
    if (q.method != "GET") return text("", 405);
    if (q.header("x-aws-ec2-metadata-token") != token) return text("", 401);
    const std::string data = "/latest/meta-data/";
    const std::map<std::string, std::string> known{
        {data, "hostname\ninstance-id\nlocal-hostname\nlocal-ipv4\ntags/"},
        {data + "instance-id", r.id},
        {data + "hostname", r.hostname},
        {data + "local-hostname", r.hostname},
        {data + "local-ipv4", r.address},
        {data + "tags/instance", "Name\nrole"},
        {data + "tags/instance/", "Name\nrole"},
        {data + "tags/instance/Name", r.hostname},
        {data + "tags/instance/role", r.role}};
    if (q.path == "/latest/user-data") return user_data.empty() ? text("", 404) : text(user_data);
    const auto at = known.find(q.path);
    return at == known.end() ? text("", 404) : text(at->second);
  };
}

int http_status(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
      return 400;
    case Errc::kNotFound:
      return 404;
    case Errc::kAlreadyExists:
    case Errc::kConflict:
    case Errc::kFailedPrecondition:
      return 409;
    case Errc::kUnavailable:
    case Errc::kResourceExhausted:
      return 503;
    default:
      return 500;
  }
}

class Server {
 public:
  Server(const Paths& paths, const LocalCluster& cluster)
      : paths_(paths),
        cluster_(cluster),
        balancer_(paths),
        instances_(paths, cluster,
                   InstanceHooks{[this](const InstanceRecord& r) { return open_doors(r); },
                                 [this](const std::string& id) { close_doors(id); }}) {}

  Status start() {
    HIVE_TRY(ensure_network(paths_, cluster_));
    HIVE_TRY(ensure_registry(paths_, cluster_));
    HIVE_TRY(instances_.adopt());
    HIVE_TRY(balancer_.adopt());
    net::ServerOptions options;
    options.workers = 8;
    options.max_body_bytes = 2U << 20;
    main_door_ = std::make_unique<net::HttpServer>(
        options, [this](const net::ServerRequest& q) { return answer(q); });
    return main_door_->start({net::ListenAt{.unix_path = paths_.socket().string()}});
  }

  void run(const sigset_t& signals) {
    for (int round = 0;; ++round) {
      const timespec wait{0, 100'000'000};
      if (::sigtimedwait(&signals, nullptr, &wait) > 0) break;
      balancer_.tick();
      if (round % 10 == 0) instances_.reap();
    }
    stopping_ = true;
    main_door_->stop();
  }

 private:
  struct Doors {
    std::unique_ptr<net::HttpServer> metadata;
    std::unique_ptr<net::HttpServer> cloud;
  };

  Status open_doors(const InstanceRecord& r) {
    HIVE_ASSIGN(const std::string user_data, instances_.user_data(r.id));
    HIVE_ASSIGN(const std::string token, os::random_hex(24));
    HIVE_ASSIGN(const int fd, open_in_namespace_of(r.pid));
    Doors doors;
    doors.metadata = std::make_unique<net::HttpServer>(net::ServerOptions{},
                                                       metadata_handler(r, user_data, token));
    HIVE_TRY(doors.metadata->start({net::ListenAt{.fd = fd}}));
    if (r.role == "manager") {
      net::ServerOptions options;
      // Starts, joins and ends take their time, several at once, and lists must not wait for them.
      options.workers = 12;
      doors.cloud = std::make_unique<net::HttpServer>(
          options, [this](const net::ServerRequest& q) { return answer(q); });
      HIVE_TRY(doors.cloud->start({net::ListenAt{
          .unix_path = (paths_.instance_run(r.id) / "hive" / "cloud.sock").string()}}));
    }
    std::lock_guard lock(doors_mutex_);
    doors_[r.id] = std::move(doors);
    return {};
  }

  // A manager may end itself through its own door: that door must not be waited for here.
  void close_doors(const std::string& id) {
    Doors doors;
    {
      std::lock_guard lock(doors_mutex_);
      const auto at = doors_.find(id);
      if (at == doors_.end()) return;
      doors = std::move(at->second);
      doors_.erase(at);
    }
    std::thread([moved = std::make_shared<Doors>(std::move(doors))]() mutable {
      moved.reset();
    }).detach();
  }

  template <typename T>
  static net::ServerResponse reply(const Result<T>& result) {
    if (!result)
      return net::ServerResponse::json(to_json(result.error()).dump(),
                                       http_status(result.error().code));
    if constexpr (std::is_void_v<T>)
      return net::ServerResponse::json("{}");
    else
      return net::ServerResponse::json(to_json(*result).dump());
  }

  // The balancer lets its requests end first, within the draining timeout that tick() holds to.
  void drain(const std::string& id) {
    if (const auto begun = balancer_.deregister(id); !begun) {
      log::warn("cloud", "{} leaves the balancer at once: {}", id, describe(begun.error()));
      return;
    }
    while (balancer_.has(id) && !stopping_) ::usleep(20'000);
  }

  net::ServerResponse act(const std::string& id, const std::string& verb) {
    if (verb == "start") return reply(instances_.start(id));
    if (verb == "stop") return reply(instances_.stop(id));
    if (verb == "power-off") return reply(instances_.power_off(id));
    if (verb == "terminate") {
      drain(id);
      return reply(instances_.terminate(id));
    }
    return net::ServerResponse::error(404, "no such action: " + verb);
  }

  net::ServerResponse join(const std::string& id, const std::string& body) {
    const auto json = parse_json(body, "the place in the swarm");
    if (!json) return reply(Status(tl::unexpected(json.error())));
    const auto record = instances_.record(id);
    if (!record) return reply(Status(tl::unexpected(record.error())));
    return reply(join_swarm(paths_, *record, swarm_place_from(*json)));
  }

  net::ServerResponse answer_instances(const net::ServerRequest& q,
                                       const std::vector<std::string>& parts) {
    if (parts.size() == 3 && q.method == "POST") {
      const auto json = parse_json(q.body, "the launch request");
      if (!json) return reply(Status(tl::unexpected(json.error())));
      auto request = launch_from(*json);
      if (request.standard_user_data) request.user_data = default_user_data(cluster_, request.role);
      return reply(instances_.launch(request));
    }
    if (parts.size() == 3) {
      const auto list = instances_.list();
      if (!list) return reply(Status(tl::unexpected(list.error())));
      Json out = Json::array();
      for (const auto& one : *list) out.push_back(to_json(one));
      return net::ServerResponse::json(out.dump());
    }
    if (parts.size() == 5 && parts[4] == "console") {
      const auto max = q.query.contains("max")
                           ? std::strtoull(q.query.at("max").c_str(), nullptr, 10)
                           : 65536ULL;
      const auto output = instances_.console_output(parts[3], max);
      if (!output) return reply(Status(tl::unexpected(output.error())));
      return net::ServerResponse::json(
          Json{{"output", *output}}.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    if (parts.size() == 5 && parts[4] == "join" && q.method == "POST")
      return join(parts[3], q.body);
    if (parts.size() == 5 && q.method == "POST") return act(parts[3], parts[4]);
    return net::ServerResponse::error(404, "no such path");
  }

  net::ServerResponse answer_balancer(const net::ServerRequest& q,
                                      const std::vector<std::string>& parts) {
    if (parts.size() == 3 && q.method == "PUT") {
      const auto json = parse_json(q.body, "the balancer");
      if (!json) return reply(Status(tl::unexpected(json.error())));
      return reply(balancer_.ensure(balancer_spec_from(*json)));
    }
    if (parts.size() == 3) return reply(balancer_.status());
    if (parts.size() == 5 && q.method == "PUT") {
      const auto record = instances_.record(parts[4]);
      if (!record) return reply(Status(tl::unexpected(record.error())));
      return reply(balancer_.register_target(*record));
    }
    if (parts.size() == 5 && q.method == "DELETE") return reply(balancer_.deregister(parts[4]));
    return net::ServerResponse::error(404, "no such path");
  }

  net::ServerResponse answer(const net::ServerRequest& q) {
    if (q.peer.unix_uid != 0U) return net::ServerResponse::error(403, "root only");
    const auto parts = split(q.path, '/');  // "", "v1", "instances", ...
    if (parts.size() > 2 && parts[2] == "instances") return answer_instances(q, parts);
    if (parts.size() > 2 && parts[2] == "balancer") return answer_balancer(q, parts);
    if (q.path == "/v1/status")
      return net::ServerResponse::json(
          Json{{"pid", ::getpid()}, {"cluster", paths_.cluster}}.dump());
    return net::ServerResponse::error(404, "no such path");
  }

  const Paths paths_;
  const LocalCluster cluster_;
  Balancer balancer_;
  std::atomic<bool> stopping_{false};
  std::mutex doors_mutex_;
  std::map<std::string, Doors> doors_;
  Instances instances_;
  std::unique_ptr<net::HttpServer> main_door_;
};

Status serve(const std::string& name) {
  HIVE_ASSIGN(const Paths paths, paths_of(name));
  HIVE_ASSIGN(const LocalCluster cluster, load_cluster(paths));
  HIVE_TRY(os::make_directories(paths.run, 0700));
  HIVE_ASSIGN(const auto lock, os::FileLock::try_acquire(paths.run / "cloud-server.lock"));
  HIVE_TRY(write_pidfile(paths, "cloud-server", ::getpid()));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  Server server(paths, cluster);
  HIVE_TRY(server.start());
  server.run(signals);
  return {};
}

}  // namespace

int cloud_server_main(int argc, char** argv) {
  std::string name;
  for (int i = 1; i + 1 < argc; ++i)
    if (std::string_view(argv[i]) == "--cluster") name = argv[i + 1];
  const auto done = serve(name);
  if (done) return 0;
  log::error("cloud", "{}", done.error().message);
  return 1;
}

}  // namespace hive::cloud::local
