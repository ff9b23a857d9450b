// From what the cluster is to what its edges serve. Pure.
//
// Inputs beside the Snapshot: service labels `hive.listeners` ([{"port","target","protocol"}]) and
// `hive.x` (the service's x-hive object as JSON), those of a canary below, and the cluster's
// settings, kept in the Swarm config object `hive.cluster` (what it holds: cli/cluster_config.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "controller/agents_sight.h"
#include "model/cluster.h"
#include "model/routing.h"

namespace hive::controller {

inline constexpr std::uint16_t kApiPort = 7070;
inline constexpr const char* kClusterConfig = "hive.cluster";
inline constexpr const char* kRevisionLabel = "hive.revision";
inline constexpr const char* kListenersLabel = "hive.listeners";
inline constexpr const char* kHiveLabel = "hive.x";
// A service that is another one's canary: its tasks get a share of that one's requests.
inline constexpr const char* kCanaryOfLabel = "hive.canary.of";            // the service's id
inline constexpr const char* kCanaryPercentLabel = "hive.canary.percent";  // 1 to 100
inline constexpr const char* kDashboardBackend = "hive-dashboard";

// What the balancer in front does to a port of the nodes. TLS of its own ends there.
struct ListenerSettings {
  std::uint16_t instance = 0;  // port on the nodes
  std::string mode = "http";
  bool proxy = false;
  bool operator==(const ListenerSettings&) const = default;
};

// x-hive.workers. Instances follow replicas where `max` is more than `min`.
struct WorkerSettings {
  int min = 0;
  int max = 0;
  std::int64_t scale_in_after_ms = 300'000;
  std::int64_t join_timeout_ms = 180'000;
  bool operator==(const WorkerSettings&) const = default;
};

struct ClusterSettings {
  std::string name;
  int managers = 0;              // x-hive.managers; 0 = not known
  bool replace_managers = true;  // x-hive.replace_managers
  WorkerSettings workers;
  std::uint16_t dashboard_port = 5000;  // 0 = none
  bool rebalance = true;                // x-hive.rebalance
  std::vector<ListenerSettings> listeners;
  bool operator==(const ClusterSettings&) const = default;
};

// Unknown and malformed members are passed over: the settings were checked when written.
ClusterSettings settings_from_json(const Json& cluster);

// What makes a task that Swarm calls running unfit for new requests: task id -> reason.
using Unfit = std::map<std::string, std::string>;
// The reason of a task that is being stopped: no edge sends to it, not even for a sticky session.
inline constexpr const char* kLeaving = "it is being stopped";

struct Routing {
  model::RoutingTable table;          // revision and controller are the publisher's
  std::vector<std::string> problems;  // plain sentences: listener conflicts, bad labels
  // Running tasks of served ports that are in no backend, for want of an agent's word: their port
  // on their node is not known, or whether a node that Swarm does not hear from is there.
  std::vector<std::string> unsure;
};

// A task that Swarm has told to stop serves on while its stop is held, until it is unfit. One on a
// node that Swarm calls down serves while the node's agent sees it run, until the one that Swarm
// planned in its place serves.
Routing route(const model::Snapshot& snapshot, const ClusterSettings& settings, const Unfit& unfit,
              const AgentsSight& agents);

// The address under which other nodes reach the node (Status.Addr of a manager may be 0.0.0.0).
std::string reachable_address(const model::Node& node);
// "hive-server.3"; a global service's task is named by its node.
std::string task_name(const model::Snapshot& snapshot, const model::Task& task);

}  // namespace hive::controller
