// Which slots go when a service shrinks, and why: Swarm itself cannot be told. Pure.
//
// In this order, each rule deciding only where those before it leave a tie:
//   1. what does not run, then what is not healthy (nobody loses anything);
//   2. what is on a node that is being emptied, or is lost;
//   3. what is on the node with the most tasks of the service, so that the rest stays spread. This
//      comes before the load since Swarm, when it shrinks, takes from the fullest node itself;
//   4. the least loaded, by requests in flight; loads within a factor of two count the same, so
//      that chance does not decide;
//   5. the newest (its caches are the coldest), then the highest slot.
// Source of the rules: docs/operations.md, "Which task goes".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decide/placement/slots.h"

namespace hive::decide::placement {

struct Victim {
  std::int64_t slot = 0;
  std::string why;  // one sentence, for the history
};

// At most `count`, in the order of their choice. The same slots in any order give the same answer.
std::vector<Victim> choose_victims(const std::vector<Slot>& slots, std::size_t count);

}  // namespace hive::decide::placement
