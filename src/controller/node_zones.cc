#include "controller/node_zones.h"

#include <algorithm>

#include "base/log.h"
#include "cloud/aws/join.h"

namespace hive::controller {
namespace {

constexpr const char* kZonesComponent = "zones";
constexpr Milliseconds kAskAgain{60'000};

}  // namespace

void NodeZones::turn() {
  const auto nodes = engine_.list_nodes();
  if (!nodes) return warnings_.tell("nodes", nodes.error());
  const auto gone = [&](const std::string& id) {
    return std::none_of(nodes->begin(), nodes->end(),
                        [&](const model::Node& node) { return node.id == id; });
  };
  std::erase_if(zones_, [&](const auto& entry) { return gone(entry.first); });
  std::erase_if(unknown_, gone);
  const auto is_new = [&](const model::Node& node) {
    return !zones_.contains(node.id) && !unknown_.contains(node.id);
  };
  if (std::any_of(nodes->begin(), nodes->end(), is_new) ||
      (!unknown_.empty() && clock_.now() - asked_at_ >= kAskAgain))
    ask(*nodes);
  for (const auto& node : *nodes) {
    const auto zone = zones_.find(node.id);
    const auto there = node.labels.find(model::kZoneLabel);
    if (zone == zones_.end()) continue;
    if (there == node.labels.end() || there->second != zone->second) label(node, zone->second);
  }
}

void NodeZones::ask(const std::vector<model::Node>& nodes) {
  asked_at_ = clock_.now();
  const auto machines = machines_();
  if (!machines) return warnings_.tell("machines", machines.error());
  warnings_.over("machines");
  std::map<std::string, std::string> zones;  // by host name
  for (const auto& machine : *machines)
    if (!cloud::aws::is_ending(machine) && !machine.zone.empty())
      zones[cloud::aws::hostname_of(machine, names_)] = machine.zone;
  for (const auto& node : nodes) {
    if (zones_.contains(node.id)) continue;
    const auto zone = zones.find(node.hostname);
    if (zone == zones.end()) {
      unknown_.insert(node.id);
      continue;
    }
    unknown_.erase(node.id);
    zones_[node.id] = zone->second;
  }
}

void NodeZones::label(const model::Node& node, const std::string& zone) {
  const auto done = engine::modify_node(engine_, node.id, [&](Json& spec) -> Result<bool> {
    if (!spec["Labels"].is_object()) spec["Labels"] = Json::object();
    spec["Labels"][model::kZoneLabel] = zone;
    return true;
  });
  if (!done) return warnings_.tell(node.hostname, done.error());
  warnings_.over(node.hostname);
  log::info(kZonesComponent, "node {} is in {}", node.hostname, zone);
}

}  // namespace hive::controller
