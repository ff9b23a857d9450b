// What decides in the simulator: hive's own policy and the baselines look the same to the world.
#pragma once

#include <cstdint>

namespace hive::simulator {

// What may be seen of the second that just ended. No policy sees more than this.
struct Seen {
  std::int64_t now = 0;  // Unix seconds at the second's end
  bool known = true;     // false: no signal came (the figures below but the counts are stale)
  double requests = 0;   // arrived in the second
  double in_flight = 0;  // being served and waiting, mean of the second, in replicas' worth of work
  double utilisation = 0;  // of the serving replicas together, 0 to 1: a full one shows no more
  int ready = 0;           // replicas that serve
  int starting = 0;        // ordered, not serving yet
};

class Policy {
 public:
  virtual ~Policy() = default;
  // Once a second, in order. Returns the replicas wanted from now on.
  virtual int step(const Seen& seen) = 0;
};

}  // namespace hive::simulator
