// What nodes have left for tasks, counted as Swarm's scheduler counts: reservations of CPU and
// memory, max_replicas_per_node, constraints, availability. Pure.
//
// Ports that are fixed on the nodes count as one task a node. What cannot be told from a node's
// record (constraints on its platform or address, plugins, volumes) is taken to fit.
// Source: swarmkit manager/scheduler/filter.go, nodeinfo.go.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/cluster.h"

namespace hive::decide::placement {

// What a node gives to tasks; 0 = not known, and then no bound.
struct Shape {
  std::int64_t nano_cpus = 0;
  std::int64_t memory_bytes = 0;
  bool operator==(const Shape&) const = default;
};

class Room {
 public:
  // On nodes that take tasks, those of `without` (node ids) left out. Keeps no reference.
  explicit Room(const model::Snapshot& snapshot, const std::set<std::string>& without = {});

  // Finds places for so many more tasks of the service, each on the node with the fewest of it, as
  // Swarm would, and takes them. How many found one.
  int place(const model::Service& service, int count);
  bool has_place(const model::Service& service) const;
  bool has_place_on(const std::string& node_id, const model::Service& service) const;
  // A worker that just joined, empty.
  void add_fresh(const Shape& shape);
  // Whether an empty worker of this shape takes a task of the service at all.
  static bool fits_fresh(const model::Service& service, const Shape& shape);

  // Tasks of the service that are on the nodes looked at, and shall stay: one a slot.
  int placed(const std::string& service_id) const;

 private:
  struct Space {
    model::Node node;
    bool fresh = false;
    std::int64_t cpus_used = 0;
    std::int64_t memory_used = 0;
    std::map<std::string, int> tasks;  // by service
  };
  static bool takes(const Space& space, const model::Service& service);

  std::vector<Space> spaces_;
  std::map<std::string, std::size_t> at_;                // of spaces_, by node
  std::map<std::string, std::set<std::int64_t>> slots_;  // by service
};

}  // namespace hive::decide::placement
