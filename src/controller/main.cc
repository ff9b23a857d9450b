#include "controller/main.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/log.h"
#include "cloud/local/local.h"
#include "controller/api.h"
#include "controller/autoscale_watch.h"
#include "controller/aws_site.h"
#include "controller/balancer_watch.h"
#include "controller/cloud_watch.h"
#include "controller/executor.h"
#include "controller/operations.h"
#include "engine/docker/client.h"
#include "os/file.h"

namespace hive::controller {
namespace {

struct Arguments {
  std::string engine = "unix:///run/docker.sock";
  std::uint16_t api_port = kApiPort;
  std::uint16_t agent_port = agent::kControllerPort;
  std::string certificates = "/var/lib/docker/swarm/certificates";
  std::string socket = "/run/hive/controller.sock";
  std::string history = "/var/lib/hive/controller/history.db";
  std::string cloud_socket = cloud::local::kInstanceCloudSocket;
  std::string node_file = cloud::aws::kNodeFile;
  std::uint16_t join_port = cloud::aws::kJoinPort;
};

// A job may wait for the cloud: one that starts an instance, say.
constexpr std::size_t kOperationThreads = 8;
// AWS counts calls: a look is five of them.
constexpr CloudWatch::Options kAwsPace{
    .busy = Milliseconds(3'000), .idle = Milliseconds(15'000), .fresh = Milliseconds(45'000)};

std::vector<net::ListenAt> doors(const Arguments& arguments, bool on_aws) {
  std::vector<net::ListenAt> out;
  net::ListenAt open;
  open.name = kOpenDoor;
  open.address = "0.0.0.0";
  open.port = arguments.api_port;
  out.push_back(open);
  if (!arguments.socket.empty()) {
    net::ListenAt root;
    root.name = kRootDoor;
    root.unix_path = arguments.socket;
    out.push_back(root);
  }
  if (arguments.agent_port != 0) {
    net::ListenAt agents;
    agents.name = kAgentDoor;
    agents.address = "0.0.0.0";
    agents.port = arguments.agent_port;
    const auto& directory = arguments.certificates;
    agents.tls = net::ServerTls{directory + "/swarm-node.crt", directory + "/swarm-node.key",
                                directory + "/swarm-root-ca.crt"};
    out.push_back(agents);
  }
  if (on_aws) {
    // Who asks here has no certificate yet.
    net::ListenAt join;
    join.name = kJoinDoor;
    join.address = "0.0.0.0";
    join.port = arguments.join_port;
    const auto& directory = arguments.certificates;
    join.tls =
        net::ServerTls{directory + "/swarm-node.crt", directory + "/swarm-node.key", std::string()};
    out.push_back(join);
  }
  return out;
}

void make_parent(const std::string& path) {
  if (path.empty()) return;
  const auto made = os::make_directories(std::filesystem::path(path).parent_path(), 0700);
  if (!made) log::warn(kControllerComponent, "{}", describe(made.error()));
}

// The local cloud's socket, where this manager is one of its instances.
CloudOpener cloud_opener(const std::string& socket) {
  return [socket]() -> Result<std::unique_ptr<cloud::Cloud>> {
    std::error_code ignored;
    if (socket.empty() || !std::filesystem::exists(socket, ignored))
      return fail(Errc::kUnsupported, "this cluster has no cloud that hive knows");
    return cloud::local::connect_socket(socket);
  };
}

// Of a manager on AWS, which its user data has told so; null elsewhere.
Result<std::unique_ptr<AwsSite>> aws_site(const Arguments& arguments, engine::Engine& engine,
                                          const Clock& clock, store::History& history) {
  const auto text = os::read_file(arguments.node_file, 1 << 16);
  if (!text && text.error().code == Errc::kNotFound) return std::unique_ptr<AwsSite>();
  if (!text) return tl::unexpected(text.error());
  HIVE_ASSIGN(const auto node, cloud::aws::parse_node_file(*text));
  return std::make_unique<AwsSite>(node, engine, clock, history);
}

// Beside the history.
std::string learned_directory(const std::string& history) {
  if (history.empty()) return "";
  return (std::filesystem::path(history).parent_path() / "autoscale").string();
}

Random seeded() {
  const auto seed = std::chrono::steady_clock::now().time_since_epoch().count();
  return Random(static_cast<std::uint64_t>(seed) ^ static_cast<std::uint64_t>(::getpid()));
}

int serve(const Arguments& arguments) {
  engine::docker::EngineOptions options;
  options.host = arguments.engine;
  options.deadline = Milliseconds(5'000);
  auto engine = engine::docker::connect(options);
  if (!engine) {
    log::error(kControllerComponent, "{}", describe(engine.error()));
    return 1;
  }
  make_parent(arguments.socket);
  make_parent(arguments.history);
  const SystemClock clock;
  store::History history(arguments.history);
  // Blocked before any thread begins, so that only sigwait below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto site = aws_site(arguments, **engine, clock, history);
  if (!site) {
    log::error(kControllerComponent, "{}", describe(site.error()));
    return 1;
  }
  AwsSite* const aws = site->get();
  const auto open_cloud =
      aws != nullptr ? aws->cloud_opener() : cloud_opener(arguments.cloud_socket);
  ThreadExecutor executor(kOperationThreads);
  Operations operations({**engine, open_cloud}, clock, history, executor, operation_kinds(),
                        seeded());
  CloudWatch cloud(
      open_cloud, [&operations] { return operations.any_active(); }, clock,
      aws != nullptr ? kAwsPace : CloudWatch::Options{});
  Controller controller(**engine, clock, history);
  controller.attach(operations);
  if (aws != nullptr)
    controller.attach_logins([aws](const std::string& image) { return aws->login_of(image); });
  controller.attach_cloud([&cloud] { return cloud.newest(); });
  Autoscaling autoscaling({**engine, open_cloud}, operations, clock, history, executor,
                          {.directory = learned_directory(arguments.history)});
  MetricWatch metrics(clock);
  autoscaling.attach(metrics);
  BalancerWatch balancer(open_cloud, clock);
  autoscaling.attach(balancer);
  InstanceScaling instances(operations, clock, history, executor);
  AutoscaleWatch autoscale(autoscaling, instances);
  controller.attach_watcher(
      [&autoscale](std::shared_ptr<const World> world) { autoscale.look(std::move(world)); });
  const Api api{controller, operations, autoscaling, instances, arguments.certificates};
  net::ServerOptions server_options;
  // Some may wait for the engine, or for the leader's controller, while reports go on.
  server_options.workers = 6;
  server_options.max_body_bytes = agent::kMaxMessageBytes;
  net::HttpServer server(server_options, [&api, aws](const net::ServerRequest& request) {
    return request.peer.listener == kJoinDoor && aws != nullptr ? aws->answer(request)
                                                                : answer(api, request);
  });
  if (const auto started = server.start(doors(arguments, aws != nullptr)); !started) {
    log::error(kControllerComponent, "{}", describe(started.error()));
    return 1;
  }
  cloud.start();
  metrics.start();
  balancer.start();
  autoscale.start();
  controller.start();
  if (aws != nullptr) aws->start([&controller] { return controller.acts(); });
  log::info(kControllerComponent, "serving on port {}, agents on port {}, engine {}",
            arguments.api_port, arguments.agent_port, arguments.engine);
  int signal = 0;
  sigwait(&signals, &signal);
  log::info(kControllerComponent, "ending on signal {}", signal);
  server.stop();
  if (aws != nullptr) aws->stop();
  controller.stop();
  autoscale.stop();
  metrics.stop();
  balancer.stop();
  cloud.stop();
  executor.stop();
  return 0;
}

}  // namespace

int controller_main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("hive controller");
  app.add_option("--engine", arguments.engine);
  app.add_option("--api-port", arguments.api_port);
  app.add_option("--agent-port", arguments.agent_port);
  app.add_option("--certificates", arguments.certificates);
  app.add_option("--socket", arguments.socket);
  app.add_option("--history", arguments.history);
  app.add_option("--cloud-socket", arguments.cloud_socket);
  app.add_option("--node-file", arguments.node_file);
  app.add_option("--join-port", arguments.join_port);
  CLI11_PARSE(app, argc, argv);
  return serve(arguments);
}

}  // namespace hive::controller
