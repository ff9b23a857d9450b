// The cluster's workers as the cloud and the operations tell of them, for the fleet's rule
// (decide/fleet/rule.h). Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "controller/operation.h"
#include "decide/fleet/rule.h"

namespace hive::controller {

struct FleetSight {
  std::vector<decide::fleet::Worker> workers;
  std::set<std::string> coming;  // host names of those that are no ready node yet
  int unborn = 0;                // asked for, and the cloud has no instance of them yet
  int nameless = 0;              // of those, not in `coming`
  std::set<std::string> going;   // nodes whose instances the cloud ends
};
// `leaving`: the instance that hive empties; it is a worker to its end. The world has a cloud.
FleetSight fleet_sight(const World& world, const std::vector<OperationRecord>& records,
                       const std::string& leaving);

// A worker that died: its node was reaped (node_rm_kind.h). What takes its place is an
// instance_launch whose request names the reaping, under an id that follows from it: so that no
// controller's death makes two of it.
struct Replacement {
  std::string of;  // the reaping's id
  std::int64_t attempt = 1;
  std::string id;
};
// Those that nothing was started for yet, or where it failed. None where the cloud's group replaces
// by itself.
std::vector<Replacement> replacements_due(const World& world,
                                          const std::vector<OperationRecord>& records);

}  // namespace hive::controller
