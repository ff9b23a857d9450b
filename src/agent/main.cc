#include "agent/main.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <filesystem>

#include "agent/agent.h"
#include "agent/controller_link.h"
#include "agent/engine_watch.h"
#include "agent/node_hands.h"
#include "agent/spot_notice.h"
#include "base/json.h"
#include "base/log.h"
#include "cloud/aws/metadata.h"
#include "cloud/aws/user_data.h"
#include "edge/haproxy/driver.h"
#include "engine/docker/client.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::agent {
namespace {

constexpr Milliseconds kTurn{100};
constexpr Milliseconds kTurnWhileStopping{20};

std::atomic<int> g_signal{0};
std::atomic<std::int64_t> g_spot_ms{0};  // what a Spot notice leaves
void on_signal(int number) { g_signal = number; }

struct Settings {
  std::string engine = "unix:///var/run/docker.sock";
  std::string run_dir = "/run/hive/edge";
  std::string haproxy = "haproxy";
  std::string certificates = "/var/lib/docker/swarm/certificates";
  std::string node_id;
  std::string table;
  std::vector<std::string> controllers;
  std::uint16_t health_port = 7080;
  std::string logs = "/var/lib/hive/logs";
  std::string log_positions = "/var/lib/hive/log-positions";
  std::string shutdown_mark = "/run/hive/shutdown";
  std::string node_file = cloud::aws::kNodeFile;
  int leave_within_s = 60;
};

// Nothing when the engine does not answer.
std::vector<std::string> managers_of(engine::Engine& engine) {
  std::vector<std::string> found;
  const auto info = engine.info();
  if (!info) return found;
  const Json* managers = json_path(*info, "Swarm.RemoteManagers");
  if (managers == nullptr || !managers->is_array()) return found;
  for (const Json& manager : *managers) {
    const std::string address = json_string(manager, "Addr");
    const auto colon = address.rfind(':');
    if (colon != std::string::npos)
      found.push_back(address.substr(0, colon) + ":" + std::to_string(kControllerPort));
  }
  return found;
}

// Waits for the engine to be in a swarm. Empty when told to end.
std::string wait_for_node_id(engine::Engine& engine) {
  while (g_signal == 0) {
    if (const auto info = engine.info()) {
      std::string id = json_string(*info, "Swarm.NodeID");
      if (!id.empty() && json_string(*info, "Swarm.LocalNodeState") == "active") return id;
    }
    std::this_thread::sleep_for(Milliseconds(200));
  }
  return "";
}

// --table FILE: the file plays the controller.
void follow_file(const std::string& file, Mailbox& mailbox, const std::stop_token& stop) {
  std::string last;
  while (!stop.stop_requested()) {
    const auto text = os::read_file(file);
    if (text && *text != last) {
      last = *text;
      if (auto table = decode_table(*text))
        mailbox.post_table(std::move(*table));
      else
        log::warn("agent", "{}: {}", file, table.error().message);
    }
    std::this_thread::sleep_for(Milliseconds(50));
  }
}

// Nothing where no logs are asked for (a table of its own), or where they cannot be kept: a node
// serves on without.
std::unique_ptr<logs::Collector> start_collector(const Settings& settings, Mailbox& mailbox,
                                                 const Clock& clock) {
  if (!settings.table.empty() || settings.logs.empty()) return nullptr;
  logs::CollectorOptions options;
  options.destination = settings.logs;
  options.state = settings.log_positions;
  options.on_event = [&mailbox](logs::LogEvent event) {
    log::warn("logs", "{}: {}", event.subject, event.reason);
    mailbox.post_note({std::move(event.kind), std::move(event.subject), std::move(event.reason)});
  };
  auto collector = logs::make_collector(std::move(options), clock);
  if (!collector) {
    mailbox.post_note({"log_collector_fault", "log collector", describe(collector.error())});
    log::error("logs", "no log line is collected: {}", describe(collector.error()));
    return nullptr;
  }
  if (const auto started = (*collector)->start(); !started) {
    mailbox.post_note({"log_collector_fault", "log collector", describe(started.error())});
    log::error("logs", "no log line is collected: {}", describe(started.error()));
    return nullptr;
  }
  return std::move(*collector);
}

// The machine goes down, and the agent is not merely restarted: the local cloud's first process and
// hive's own tools leave a mark, systemd says it itself.
bool machine_goes(const Settings& settings) {
  if (g_signal == SIGPWR || std::filesystem::exists(settings.shutdown_mark)) return true;
  if (!std::filesystem::exists("/run/systemd/system")) return false;
  os::RunOptions options;
  options.deadline = Milliseconds(2'000);
  const auto state = os::run({"systemctl", "is-system-running"}, options);
  return state && state->out.starts_with("stopping");
}

// A second signal ends it at once. After a Spot notice nothing else ends it before its machine
// does: a next agent would call the node one that stays, until it had read the notice.
void depart(const Settings& settings, Agent& agent, const Stops& stops) {
  if (!settings.table.empty() || !machine_goes(settings)) return;
  const int first = g_signal.exchange(0);
  const Milliseconds spot(g_spot_ms.load());
  agent.depart(spot.count() > 0 ? spot
                                : Milliseconds(std::int64_t{1'000} * settings.leave_within_s));
  while ((!agent.departed() || spot.count() > 0) && g_signal == 0)
    agent.turn(stops.active() ? kTurnWhileStopping : kTurn);
  if (g_signal == 0) g_signal = first;
}

// On AWS: a reclaimed Spot instance goes as one that is shut down.
void follow_spot(const Clock& clock, const std::stop_token& stop) {
  cloud::aws::Metadata metadata(cloud::aws::metadata_endpoint(cloud::aws::process_environment()));
  watch_spot([&] { return metadata.get("meta-data/spot/instance-action"); }, clock,
             [](Milliseconds left) {
               log::warn("agent", "AWS reclaims this Spot instance: {} s are left to empty it",
                         left.count() / 1'000);
               g_spot_ms = left.count();
               g_signal = SIGPWR;
             },
             stop);
}

int finish(edge::Edge& edge, bool gone) {
  const bool ends = gone || g_signal == SIGQUIT;
  if (ends) (void)edge.shutdown();
  log::info("agent", "ends; HAProxy {}", ends ? "ended too" : "serves on");
  return 0;
}

Result<int> serve(const Settings& settings) {
  const SystemClock clock;
  Mailbox mailbox;
  HIVE_ASSIGN(const auto engine, engine::docker::connect({.host = settings.engine}));
  std::string node_id = settings.node_id;
  if (settings.table.empty() && node_id.empty()) {
    node_id = wait_for_node_id(*engine);
    if (node_id.empty()) return 0;
  }
  HIVE_ASSIGN(const auto edge,
              edge::make_haproxy_edge({.work_dir = settings.run_dir,
                                       .program = settings.haproxy,
                                       .node_id = node_id,
                                       .health_port = settings.health_port,
                                       .on_ready = [&] { mailbox.post_probe_answered(); }},
                                      clock));
  std::vector<std::jthread> threads;
  std::unique_ptr<ControllerLink> link;
  const auto collector = start_collector(settings, mailbox, clock);
  NodeHands hands(*engine, collector.get(), clock);
  Stops stops({.directory = settings.run_dir + "/stops"}, hands, clock);
  ImagePulls pulls(*engine, clock);
  pulls.start();
  Agent agent({.node_id = node_id,
               .table_file = settings.run_dir + "/table.json",
               .send =
                   [&](Report report) {
                     if (link) link->send(std::move(report));
                   },
               .cgroup_root = "/",
               .pulls = &pulls},
              *edge, stops, mailbox, clock);
  if (settings.table.empty()) {
    agent.restore();
    threads.emplace_back(
        [&](const std::stop_token& stop) { watch_engine(*engine, mailbox, stop); });
    // The managers last known are asked on when the node's own engine is dead: its edge serves on.
    const auto controllers = [&, known = std::vector<std::string>()]() mutable {
      if (!settings.controllers.empty()) return settings.controllers;
      if (auto now = managers_of(*engine); !now.empty()) known = std::move(now);
      return known;
    };
    link =
        std::make_unique<ControllerLink>(LinkOptions{settings.certificates, controllers}, mailbox);
  } else {
    threads.emplace_back(
        [&](const std::stop_token& stop) { follow_file(settings.table, mailbox, stop); });
  }
  std::error_code ignored;
  if (settings.table.empty() && std::filesystem::exists(settings.node_file, ignored))
    threads.emplace_back([&](const std::stop_token& stop) { follow_spot(clock, stop); });
  while (g_signal == 0) agent.turn(stops.active() ? kTurnWhileStopping : kTurn);
  depart(settings, agent, stops);
  return finish(*edge, agent.departed());
}

}  // namespace

int agent_main(int argc, char** argv) {
  Settings settings;
  CLI::App app("The daemon of each node: steers the node's edge and reports to a controller.",
               "hive agent");
  app.add_option("--engine", settings.engine, "the local engine's address");
  app.add_option("--edge-dir", settings.run_dir, "directory of the edge's files and sockets");
  app.add_option("--haproxy", settings.haproxy, "the HAProxy program");
  app.add_option("--certificates", settings.certificates, "directory of Swarm's certificates");
  app.add_option("--controller", settings.controllers, "host:port, instead of Swarm's managers");
  app.add_option("--node-id", settings.node_id, "instead of the engine's");
  app.add_option("--health-port", settings.health_port, "port of the edge's /healthz");
  app.add_option("--logs", settings.logs, "directory or share of log lines; empty = none are kept");
  app.add_option("--log-positions", settings.log_positions,
                 "directory of the collector's positions");
  app.add_option("--leave-within", settings.leave_within_s,
                 "seconds to empty the node when its machine shuts down")
      ->check(CLI::Range(1, 3'600));
  app.add_option("--node-file", settings.node_file, "there where the machine is one of AWS's");
  app.add_option("--table", settings.table, "serve this routing table; no engine, no controller");
  CLI11_PARSE(app, argc, argv);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGPWR}) ::signal(number, on_signal);
  ::signal(SIGPIPE, SIG_IGN);
  const auto code = serve(settings);
  if (code) return *code;
  log::error("agent", "{}", describe(code.error()));
  return 1;
}

}  // namespace hive::agent
