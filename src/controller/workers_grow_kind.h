// The operation by which workers become more where the cloud names its machines itself: the group's
// size is raised to an absolute number, so that a controller that died meanwhile asks for none
// twice, and the instances that come are waited for. Each is joined and let into service by an
// operation of its own (instance_ready).
//   workers_grow  {"to": the size of the group, "reason", "autoscaler"}
//
// Its state has "leads": how long each instance took from the wish to its service, in ms by id.
// Instances that the group does not get are waited for kCapacityMs, and then no longer: the size is
// what is there. Where kLaunchAttempts times as many as were asked for came and none became a
// node, those that still come are ended, and the size goes down with them. Nothing that may have
// tasks is ended here.
#pragma once

#include <memory>

#include "controller/operation.h"

namespace hive::controller {

inline constexpr const char* kWorkersGrow = "workers_grow";

std::unique_ptr<OperationKind> make_workers_grow_kind();

// The size that the group has or shall have: what is asked for and not in the cloud's word yet is
// counted too. 0 where the cloud keeps no group.
int desired_workers(const World& world, const std::vector<OperationRecord>& records);

}  // namespace hive::controller
