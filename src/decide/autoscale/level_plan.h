// How many replicas a price on unserved work pays for, and when one that is no longer worth it
// goes.
//
// A further replica is ordered when its expected use at the horizon, times the price, is more than
// its cost. It is given back only when what it was expected to waste since then adds up to a
// start's cost (ski rental: what would have been saved is never less than half of the best in
// hindsight).
#pragma once

#include <cstddef>
#include <vector>

namespace hive::decide::autoscale {

class LevelPlan {
 public:
  // `uses`: expected_uses(). `seconds` since the last call. `start_cost_s`: a start's cost in
  // seconds of a running replica. Returns the replicas wanted.
  int update(const std::vector<double>& uses, double price, int min, int max, double seconds,
             double start_cost_s);
  // Orders what they are worth and gives nothing back: no time has passed.
  int raise(const std::vector<double>& uses, double price, int min, int max);
  int level() const { return level_; }
  // What would be ordered if nothing were there.
  int worth() const { return worth_; }
  void reset(int level) {
    level_ = level;
    waste_.assign(static_cast<std::size_t>(level), 0.0);
  }

 private:
  int level_ = 0;
  int worth_ = 0;
  std::vector<double> waste_;  // of each replica, in seconds of cost
};

}  // namespace hive::decide::autoscale
