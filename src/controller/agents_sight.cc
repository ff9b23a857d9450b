#include "controller/agents_sight.h"

#include <algorithm>
#include <map>

namespace hive::controller {
namespace {

void add_held(const agent::Report& report, std::set<std::string>& held) {
  for (const auto& container : report.containers)
    if (container.init == "armed" || container.init == "held" || container.init == "claimed")
      held.insert(container.task_id);
}

// An edge that tells no figures has a fault of its own, and nobody waits for it.
std::set<std::string> served_by_all(const std::vector<HeardAgent>& agents) {
  std::map<std::string, std::size_t> edges_of;  // by task
  std::size_t edges = 0;
  for (const HeardAgent& agent : agents) {
    if (!agent.now || agent.report->stats.empty()) continue;
    ++edges;
    const std::set<std::string> not_ready(agent.report->not_ready.begin(),
                                          agent.report->not_ready.end());
    for (const auto& stats : agent.report->stats)
      if (!not_ready.contains(stats.task_id)) ++edges_of[stats.task_id];
  }
  std::set<std::string> out;
  for (const auto& [task, count] : edges_of)
    if (count == edges) out.insert(task);
  return out;
}

}  // namespace

bool is_heard(const model::Node& node) {
  return node.state != model::NodeState::kDown && node.state != model::NodeState::kDisconnected;
}

AgentsSight agents_sight(const model::Snapshot& snapshot, const std::vector<HeardAgent>& agents) {
  AgentsSight out;
  for (const HeardAgent& agent : agents)
    if (agent.now) add_held(*agent.report, out.held);
  if (std::all_of(snapshot.nodes.begin(), snapshot.nodes.end(),
                  [](const auto& entry) { return is_heard(entry.second); }))
    return out;
  for (const HeardAgent& agent : agents) {
    if (!agent.there) continue;
    out.nodes.insert(agent.report->node_id);
    for (const auto& container : agent.report->containers)
      if (container.state == "running") out.running.insert(container.task_id);
  }
  out.served = served_by_all(agents);
  return out;
}

}  // namespace hive::controller
