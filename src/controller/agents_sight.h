// What agents see of tasks, for the routing table. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agent/protocol.h"
#include "model/cluster.h"

namespace hive::controller {

struct HeardAgent {
  const agent::Report* report = nullptr;  // the last one; lives as long as this
  bool there = false;                     // reported lately
  bool now = false;                       // a moment ago
};

// Of tasks, by id.
struct AgentsSight {
  std::set<std::string> held;  // their stop would be held, or is
  // Filled while Swarm does not hear from some node:
  std::set<std::string> nodes;    // whose agent is there
  std::set<std::string> running;  // whose container runs, as the agent beside it says
  std::set<std::string> served;   // each edge that is heard now sends them requests
};

// Swarm hears from the node, or a new leader has yet to.
bool is_heard(const model::Node& node);

AgentsSight agents_sight(const model::Snapshot& snapshot, const std::vector<HeardAgent>& agents);

}  // namespace hive::controller
