// Reg (Iqbal, Dailey, Carrera, Janecek, "Adaptive resource provisioning for read intensive
// multi-tier applications in the cloud", FGCS 2011), once a minute:
//  - out, reactive: what the load needs as soon as it is above what the replicas can do;
//  - in, by regression: a second-order polynomial through the last 60 minutes says what the next
//    minute needs; what is above that, and above what the load needs now, goes.
#pragma once

#include <deque>

#include "simulator/baselines/minutes.h"
#include "simulator/policy.h"

namespace hive::simulator {

// The value at `x` = size of the second-order polynomial fitted by least squares to values at
// 0, 1, 2 ...; fewer than three values: the last one.
double extrapolate_parabola(const std::deque<double>& values);

class Reg final : public Policy {
 public:
  Reg(double target, double capacity) : target_(target), minutes_(capacity) {}
  int step(const Seen& seen) override;

 private:
  double target_;
  Minutes minutes_;
  std::deque<double> history_;
  int wanted_ = 0;
};

}  // namespace hive::simulator
