// Snapshots for tests of the rules of placement and of the fleet.
#pragma once

#include <string>

#include "model/cluster.h"

namespace hive::decide::placement::scene {

inline model::Node& add_node(model::Snapshot& snapshot, const std::string& id, std::int64_t cpus,
                             model::Role role = model::Role::kWorker) {
  model::Node& node = snapshot.nodes[id];
  node.id = id;
  node.hostname = id;
  node.role = role;
  node.state = model::NodeState::kReady;
  node.nano_cpus = cpus * 1'000'000'000;
  node.memory_bytes = std::int64_t{8} << 30;
  return node;
}

inline model::Service& add_service(model::Snapshot& snapshot, const std::string& id,
                                   std::int64_t milli_cpus) {
  model::Service& service = snapshot.services[id];
  service.id = id;
  service.name = "shop_" + id;
  service.start_first = true;
  service.reserved_nano_cpus = milli_cpus * 1'000'000;
  return service;
}

inline model::Task& add_task(model::Snapshot& snapshot, const std::string& service,
                             std::int64_t slot, const std::string& node) {
  const std::string id = service + "." + std::to_string(slot);
  model::Task& task = snapshot.tasks[id];
  task.id = id;
  task.service_id = service;
  task.slot = slot;
  task.node_id = node;
  task.state = node.empty() ? model::TaskState::kPending : model::TaskState::kRunning;
  task.desired = model::TaskState::kRunning;
  return task;
}

}  // namespace hive::decide::placement::scene
