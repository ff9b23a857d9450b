// Adapt (Ali-Eldin, Tordsson, Elmroth, "An adaptive hybrid elasticity controller for cloud
// infrastructures", NOMS 2012): reactive out, proactive in, once a minute.
//  - out, when the load is above what the replicas can do: what the load needs, and what the rate
//  of
//    its change adds in the next minute;
//  - in: as many as the load is expected to fall by in the next minute at the rate seen since the
//    last change, never below what the load needs; never two minutes in a row.
// The rate is over a window that starts anew at each change, so that it adapts to how fast the load
// moves.
#pragma once

#include "simulator/baselines/minutes.h"
#include "simulator/policy.h"

namespace hive::simulator {

class Adapt final : public Policy {
 public:
  Adapt(double target, double capacity) : target_(target), minutes_(capacity) {}
  int step(const Seen& seen) override;

 private:
  void change(int wanted, double load);

  double target_;
  Minutes minutes_;
  int wanted_ = 0;
  double before_ = -1;    // load of the minute before; negative: none
  double at_change_ = 0;  // load when the number last changed
  int since_change_ = 0;  // minutes
};

}  // namespace hive::simulator
