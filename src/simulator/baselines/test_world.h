// For the tests of baselines: seconds alike, fed to a policy as the world would.
#pragma once

#include "simulator/policy.h"

namespace hive::simulator {

// A policy between figures that a test sets; every replica that is wanted serves at once unless
// `slow` is set.
class TestWorld {
 public:
  explicit TestWorld(Policy& policy, int ready) : policy_(policy) {
    seen.ready = ready;
    wanted = ready;
  }
  // `seconds` with that load in replicas' worth of work.
  int run(int seconds, double load) {
    for (int i = 0; i < seconds; ++i) {
      ++seen.now;
      seen.in_flight = load;
      seen.requests = load;
      seen.utilisation = load < seen.ready ? load / seen.ready : 1;
      wanted = policy_.step(seen);
      if (slow)
        seen.starting = wanted - seen.ready;
      else
        seen.ready = wanted;
    }
    return wanted;
  }
  Seen seen;
  int wanted;
  bool slow = false;

 private:
  Policy& policy_;
};

}  // namespace hive::simulator
