// What an edge serves: listeners, the rules that pick a service, and the tasks behind each.
// The controller computes it from a Snapshot, agents receive it whole with a rising revision, and
// the edge makes HAProxy equal to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hive::model {

// A task that may receive requests: it runs, and its engine says it is healthy (or has no check).
struct Endpoint {
  std::string task_id;
  std::string service_id;
  std::string node_id;
  std::string name;     // "hive-server.3", for people
  std::string address;  // the node's address
  std::uint16_t port = 0;
  // False: keep serving what is open and what is sticky, admit nothing new.
  bool admit = true;
  // Of the service's canary: it gets Backend::canary_percent of the requests, and no others.
  bool canary = false;
  bool operator==(const Endpoint&) const = default;
};

// Requests that match go to the backend. Empty host and path match everything; the longest path
// wins, then an exact host before a wildcard ("*.example.org").
struct Route {
  std::uint16_t listener_port = 0;
  std::string host;
  std::string path_prefix;
  std::string backend;  // Backend::name
  bool operator==(const Route&) const = default;
};

struct Backend {
  std::string name;           // the service's name, unique
  std::string mode = "http";  // or "tcp": bytes are passed on, no routing inside
  std::string sticky_cookie;  // cookie name; empty = not sticky
  std::string probe_path;     // HTTP path that must answer 2xx/3xx before a task is admitted;
                              // empty = a TCP connection must open
  // Open requests that each edge gives a task at most; further ones wait there. 0 = no bound.
  std::uint32_t max_connections_per_task = 0;
  bool proxy_protocol = false;  // speak PROXY v2 to the tasks
  std::uint32_t connect_timeout_ms = 5'000;
  std::uint32_t response_timeout_ms = 600'000;
  // So many of a hundred new requests go to the canary endpoints while one of them can serve.
  std::uint32_t canary_percent = 0;  // 0 = there is no canary
  std::vector<Endpoint> endpoints;
  bool operator==(const Backend&) const = default;
};

struct Listener {
  std::uint16_t port = 0;  // on the node
  std::string mode = "http";
  std::string certificate_pem;  // path of a PEM file on the node; empty = plain
  bool accept_proxy = false;    // the balancer in front speaks PROXY
  bool operator==(const Listener&) const = default;
};

struct RoutingTable {
  std::uint64_t revision = 0;  // rises with each change a controller publishes
  std::string controller_node_id;
  std::vector<Listener> listeners;
  std::vector<Route> routes;
  std::vector<Backend> backends;
  bool operator==(const RoutingTable&) const = default;
};

// One task's figures at one edge since the last second (HAProxy's `show stat`).
struct EndpointStats {
  std::string task_id;
  std::uint64_t requests_total = 0;
  std::uint64_t errors_5xx_total = 0;
  std::uint64_t connection_errors_total = 0;
  std::uint64_t bytes_in_total = 0;
  std::uint64_t bytes_out_total = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t queued = 0;            // for this task alone; most wait for any: BackendStats
  std::uint32_t response_time_ms = 0;  // average of its requests of late, at most 512
  std::uint32_t rate = 0;              // requests in the last second
  bool operator==(const EndpointStats&) const = default;
};

// What came to one edge for a service, whether a task took it yet or not.
struct BackendStats {
  std::string name;          // the backend's
  std::uint32_t rate = 0;    // requests that came in the last second
  std::uint32_t queued = 0;  // wait until some task has a free connection
  bool operator==(const BackendStats&) const = default;
};

// One edge's figures.
struct EdgeStats {
  std::vector<EndpointStats> endpoints;
  std::vector<BackendStats> backends;
  bool operator==(const EdgeStats&) const = default;
};

}  // namespace hive::model
