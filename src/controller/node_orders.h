// From what the cluster is, and what agents say, to the orders of one node's agent. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/orders.h"
#include "agent/protocol.h"
#include "base/clock.h"
#include "controller/service_policies.h"
#include "model/cluster.h"
#include "model/routing.h"

namespace hive::controller {

// What is known of a node's agent.
struct AgentSight {
  agent::Report report;
  bool fresh = false;  // it reported a moment ago
};

// Since when a task is in the table.
struct InTable {
  std::uint64_t revision = 0;
  MonotonicTime at{};
};

struct OrdersInput {
  const model::Snapshot& snapshot;
  const model::RoutingTable& table;
  const std::map<std::string, AgentSight>& agents;  // by node
  // Tasks that are out of the table: since which of its revisions.
  const std::map<std::string, std::uint64_t>& out_since;
  // Tasks that are in it.
  const std::map<std::string, InTable>& in_since;
  MonotonicTime now;
  // Replicas that must be ready before a task of the service may leave; services not named here
  // have those of their spec while a start-first update goes on, and none otherwise.
  const std::map<std::string, std::uint64_t>& floors;
  const std::vector<agent::StopOrder>& stops;
  // Tasks that an operation holds until another is ready for them.
  const std::set<std::string>& awaiting;
  // How the service wants to be stopped, and its log lines kept.
  std::function<ServicePolicies(const model::Service&)> policies;
};

// Tasks of the service that serve: Swarm runs them, no agent stops them or finds them unhealthy,
// and each edge that is heard of has been told of them and does not wait for them to answer. An
// edge that has not taken the table in three seconds is not waited for.
std::uint64_t ready_tasks(const OrdersInput& input, const std::string& service_id);

// Host names of the nodes whose edge may still send new requests to the task.
std::vector<std::string> edges_behind(const OrdersInput& input, const std::string& task_id);

// Without revision, pulls, known and recorded, which are the sender's.
agent::NodeOrders orders_of(const OrdersInput& input, const std::string& node_id);

// "drain of shop-worker-1 (the node is emptied); 2.3 s: draining 1.9 s, stopping 0.4 s; 3
// connections were open when it began; 5 requests finished; 1024 log bytes are safe": the record of
// a stop in plain words. `requests`: that finished since it began.
std::string stop_sentence(const model::StopRecord& record, std::uint64_t requests);

}  // namespace hive::controller
