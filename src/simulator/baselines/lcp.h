// Lazy Capacity Provisioning (Lin, Wierman, Andrew, Thereska, "Dynamic right-sizing for
// power-proportional data centers", INFOCOM 2011): online, never more than three times the offline
// optimum's value, whatever comes.
//
// Of each level of capacity it keeps how much better it would have been to be on than to be off so
// far, with a start's cost as the most that either can be ahead (a further step would switch). The
// level goes on when the optimum of what was seen ends on, off when it would end off even if the
// switch were free the other way: it moves only when it must. A second on costs 1, a second off the
// price of the work that the level would have done; that the rule looks back only is why a boot
// delay costs it much.
#pragma once

#include <vector>

#include "simulator/policy.h"

namespace hive::simulator {

class Lcp final : public Policy {
 public:
  // `price`: of a replica-second of work that is not served. `start_cost_s`: of a start, in seconds
  // of a running replica. `capacity`: requests a second that a replica serves.
  Lcp(double price, double start_cost_s, double capacity)
      : price_(price), start_cost_s_(start_cost_s), capacity_(capacity) {}
  int step(const Seen& seen) override;

 private:
  double price_;
  double start_cost_s_;
  double capacity_;
  std::vector<double> ahead_;  // of each level: off's cost less on's, from -start_cost_s_ to 0
  int wanted_ = 0;
};

}  // namespace hive::simulator
