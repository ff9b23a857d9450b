// Placement constraints and preferences as Swarm reads them, as far as a node's own record tells.
// Pure. Source: swarmkit manager/constraint/constraint.go, manager/scheduler/nodeset.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/cluster.h"

namespace hive::decide::placement {

// Whether a task with these constraints ("node.role==worker", "node.labels.zone != a") may be on
// the node; nothing when one of them asks for what is not known here (node.platform, node.ip).
std::optional<bool> admits(const model::Node& node, const std::vector<std::string>& constraints);

// What a preference ("node.labels.zone", "engine.labels.disk") tells the node apart by: the label's
// value, empty where the node lacks it. Nothing for a preference that Swarm passes over.
std::optional<std::string> spread_value(const model::Node& node, const std::string& preference);

}  // namespace hive::decide::placement
