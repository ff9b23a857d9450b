// React (Chieu, Mohindra, Karve, Segal, "Dynamic scaling of web applications in a virtualized cloud
// computing environment", ICEBE 2009): thresholds on the load of each instance, once a minute.
//  - all instances above the upper threshold: one more;
//  - below the lower one (60 % of the upper): one less, if the others stay below the upper.
// The load balancer spreads evenly, so that all instances see the same load.
#pragma once

#include "simulator/baselines/minutes.h"
#include "simulator/policy.h"

namespace hive::simulator {

class React final : public Policy {
 public:
  React(double target, double capacity) : target_(target), minutes_(capacity) {}
  int step(const Seen& seen) override;

 private:
  double target_;
  Minutes minutes_;
  int wanted_ = 0;
};

}  // namespace hive::simulator
