// Nodes and the replicas on them, as they are ordered, boot, serve and go.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "simulator/world.h"

namespace hive::simulator {

class Fleet {
 public:
  Fleet(const WorldOptions& options, int initial);

  // Replicas whose time has come serve.
  void advance(std::int64_t second) {
    if (second >= next_ready_) settle(second);
  }
  // Orders or ends replicas. More go to nodes with room, the earliest to be up first, and to new
  // ones; those that go are the ones not serving yet, newest first, then those on the node with the
  // fewest. Empty nodes end at once. Returns nodes started.
  int want(std::int64_t second, int replicas);

  int ready() const { return ready_; }
  int starting() const { return static_cast<int>(starting_.size()); }
  int nodes() const { return nodes_; }

 private:
  struct Node {
    std::int64_t up_at = 0;
    int replicas = 0;
  };
  struct Starting {
    std::int64_t ready_at = 0;
    std::size_t node = 0;
  };
  void settle(std::int64_t second);
  void add(std::int64_t second);
  void remove();
  void leave(std::size_t node);
  std::size_t node_with_room();
  double boot_time();

  const WorldOptions& options_;
  Random random_;
  std::vector<Node> pool_;  // slots; a node with 0 replicas is gone
  std::vector<Starting> starting_;
  std::int64_t next_ready_ = INT64_MAX;
  int ready_ = 0;
  int nodes_ = 0;
  int booted_ = 0;
};

}  // namespace hive::simulator
