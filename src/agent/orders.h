// What a controller tells the agent of one node beside the routing table, as server-sent events
// (`event: orders`). Level-triggered: each message holds all that counts, a lost one is made up for
// by the next. Only Swarm's leader sends them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/log_policy.h"
#include "model/stop_policy.h"
#include "os/secret.h"

namespace hive::agent {

inline constexpr std::string_view kOrdersEvent = "orders";

// A service with tasks on the node.
struct ServiceOrders {
  std::string name;
  model::StopPolicy stop;
  model::LogPolicy logs;
  std::int64_t grace_ms = 10'000;  // its StopGracePeriod: Swarm lets Docker kill after it
  bool operator==(const ServiceOrders&) const = default;
};

// A task on the node, as the controller sees it.
struct TaskOrders {
  std::string service_id;
  std::int64_t slot = 0;           // 0 for a global service
  bool desired_running = true;     // Swarm wants it to run: who stops it is a person, or hive
  bool await_replacement = false;  // another task must be ready before this one may leave
  // Some edge may still send it new requests: it is in the table, or an edge has not applied yet
  // the one without it.
  bool routed = true;
  std::vector<std::string> edges_behind;  // host names of those edges
  bool operator==(const TaskOrders&) const = default;
};

// Stop this task's container. Given until the container is gone.
struct StopOrder {
  std::string id;
  std::string task_id;
  std::string by;      // "scale-in", "drain of shop-worker-1", "root": for people
  std::string reason;  // for people
  bool force = false;  // no step is waited for: the application is told to stop at once
  bool operator==(const StopOrder&) const = default;
};

// Have this image on the node before its tasks come. Given as long as somebody waits for it. The
// password is a secret: it goes over the agent's mutual TLS and is kept in memory alone.
struct PullOrder {
  std::string image;     // as the service names it, with its digest where that is known
  std::string registry;  // the login's address; all three empty: none is needed
  std::string username;
  os::Secret password;
  bool operator==(const PullOrder&) const = default;
};

struct NodeOrders {
  std::uint64_t revision = 0;
  std::string controller_node_id;
  std::string node_name;
  bool schedulable = true;  // Swarm may give the node new tasks: it is neither paused nor drained
  std::map<std::string, ServiceOrders> services;  // by service id
  std::map<std::string, TaskOrders> tasks;        // by task id
  std::vector<StopOrder> stops;
  std::vector<PullOrder> pulls;
  // Containers whose stop the controller has heard of and looked at Swarm since: what `tasks` says
  // of them counts. By container.
  std::vector<std::string> known;
  // Stops that ended and were recorded: the agent need not report them again. By container.
  std::vector<std::string> recorded;
  bool operator==(const NodeOrders&) const = default;
};

std::string encode_orders(const NodeOrders& orders);
// kCorrupt with the place and the reason.
Result<NodeOrders> decode_orders(std::string_view text);

}  // namespace hive::agent
