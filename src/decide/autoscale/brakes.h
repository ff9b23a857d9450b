// What slows a change of the number down: stabilisation windows, cooldowns,
// speed limits.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "decide/autoscale/policy.h"

namespace hive::decide::autoscale {

class Brakes {
 public:
  // Once a second: `wanted` is right by the load, `current` are there. `second`
  // counts up evenly and is no wall clock. Returns what may be ordered now;
  // `why` says what held the rest back.
  int apply(const Policy& policy, std::int64_t second, int current, int wanted, std::string& why);

 private:
  int stabilised(const Policy& policy, std::int64_t second, int current, int wanted,
                 std::string& why);
  int moved(std::int64_t second, bool out) const;

  struct Change {
    std::int64_t second = 0;
    int by = 0;
  };
  std::deque<std::pair<std::int64_t, int>> wishes_;  // of the longer window; changes of it only
  std::deque<Change> changes_;                       // of the last minute
  std::int64_t last_change_ = INT64_MIN / 2;
};

}  // namespace hive::decide::autoscale
