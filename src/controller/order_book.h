// What the controller keeps in mind to give orders to agents: since when a task is in or out of the
// table, which stops it has heard of, which it has recorded, and what each node was told last. Not
// thread-safe: the controller guards it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/orders.h"
#include "agent/protocol.h"
#include "base/clock.h"
#include "controller/node_orders.h"
#include "controller/service_policies.h"

namespace hive::controller {

class OrderBook {
 public:
  // The table as it is published now.
  void published(const model::RoutingTable& table, MonotonicTime now);

  // Takes what the report says of stops; those that ended and were not yet recorded are returned,
  // to be written into the history.
  std::vector<model::StopRecord> heard(const agent::Report& report, MonotonicTime now);

  // Tasks to be stopped, until they are gone, and those that must not leave before another is ready
  // for them; replaces what was wanted before.
  void want(std::vector<agent::StopOrder> stops, std::set<std::string> awaiting) {
    stops_ = std::move(stops);
    awaiting_ = std::move(awaiting);
  }
  // Images that shall be on nodes, with their logins, by node; replaces what was wanted before.
  void want_pulls(std::map<std::string, std::vector<agent::PullOrder>> pulls) {
    pulls_ = std::move(pulls);
  }
  // Replicas that must be ready before one may leave, by service; replaces what was said before.
  void want_floors(std::map<std::string, std::uint64_t> floors) { floors_ = std::move(floors); }

  // The orders for the node, when they are others than it was told last, or it is in the middle of
  // a stop, or shuts down, and was told a while ago: then it must know that its controller lives.
  std::optional<agent::NodeOrders> due(const std::string& node_id, const model::Snapshot& snapshot,
                                       const model::RoutingTable& table,
                                       const std::map<std::string, AgentSight>& agents,
                                       MonotonicTime now);
  // The node's stream is new: it was told nothing.
  void forget(const std::string& node_id) { told_.erase(node_id); }

 private:
  struct Told {
    agent::NodeOrders orders;
    MonotonicTime at{};
  };
  struct Heard {
    MonotonicTime at{};
    bool recorded = false;
  };
  std::map<std::string, std::uint64_t> out_since_;                   // by task
  std::map<std::string, InTable> in_since_;                          // by task
  std::map<std::string, std::map<std::string, Heard>> stops_heard_;  // by node, by container
  std::map<std::string, Told> told_;
  std::vector<agent::StopOrder> stops_;
  std::set<std::string> awaiting_;
  std::map<std::string, std::vector<agent::PullOrder>> pulls_;
  std::map<std::string, std::uint64_t> floors_;
  PolicyReader policies_;
};

}  // namespace hive::controller
