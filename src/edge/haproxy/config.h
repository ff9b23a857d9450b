// haproxy.cfg from a routing table, as a pure function. The servers of a backend are slots: a
// change of endpoints changes slots, never the structure, so it needs no reload.
// Source: HAProxy 2.6 configuration manual.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "edge/haproxy/slots.h"
#include "model/routing.h"

namespace hive::edge::haproxy {

struct ConfigOptions {
  std::string stats_socket;
  // Where listeners take what a replaced process hands over: PREFIX.PORT, sockets.
  std::string successor_socket;
  // The way to the tasks of all nodes of what a canary, or the edge's own node, cannot take:
  // PREFIX.HASH, sockets.
  std::string regulars_socket;
  std::uint16_t health_port = 7080;  // GET /healthz: 200, or 503 when leaving
  bool leaving = false;
  int hard_stop_after_s = 600;  // the longest that a replaced process serves its open requests
};

// Slots by HAProxy backend: local_name(), all_name(), canary_name(), own_name().
using SlotMap = std::map<std::string, std::vector<Slot>>;

std::string local_name(const std::string& backend);
std::string all_name(const std::string& backend);
std::string canary_name(const std::string& backend);
// Serves nobody: its one slot is ready while there are local tasks to be asked first. How many
// servers of the local backend are usable does not tell: it has kRegulars behind its tasks.
std::string own_name(const std::string& backend);
// That serve, of the backend: local, all, and canary while it has one.
std::vector<std::string> names_of(const model::Backend& backend);
// Whether requests go to tasks of the edge's own node first. Not those of sticky sessions under a
// bound: each way to a task would have a bound of its own.
bool asks_own_first(const model::Backend& backend);
// The server of local_name() and canary_name() that stands for the tasks of all nodes.
inline constexpr std::string_view kRegulars = "regulars";
// Its one server "up" in maint = this edge is leaving.
inline constexpr std::string_view kHealthBackend = "hive.health";

// Takes out of the table what could not be written into a configuration, or would mean something
// else there: odd characters in names, hosts and paths, addresses that are not IP addresses, a tcp
// service on an http listener, a listener on the health port. The rest of the table is served.
// Returns what is wrong, for people, one entry a fault.
std::vector<std::string> drop_faults(model::RoutingTable& table, const ConfigOptions& options);

// The order in which routes are tried: longest path, exact host, wildcard, any; then as given.
std::vector<model::Route> ordered_routes(const model::RoutingTable& table, std::uint16_t port);

std::string render_config(const model::RoutingTable& table, const ConfigOptions& options,
                          const SlotMap& slots);

}  // namespace hive::edge::haproxy
