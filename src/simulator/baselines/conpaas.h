// ConPaaS (Fernandez, Pierre, Kielmann, "Autoscaling Web Applications in Heterogeneous Cloud
// Infrastructures", IC2E 2014): every ten minutes, several forecasters of the next ten compete, and
// the one that was nearest to what came of late is believed:
//  - linear regression over the last hour;
//  - autoregression of the minutes (order 2, about the hour's mean), run ahead ten steps;
//  - double exponential smoothing (level and trend).
// Out to what it forecasts; in only when that is below 75 % of what the replicas could do.
#pragma once

#include <array>
#include <deque>

#include "simulator/baselines/minutes.h"
#include "simulator/policy.h"

namespace hive::simulator {

class Conpaas final : public Policy {
 public:
  Conpaas(double target, double capacity) : target_(target), minutes_(capacity) {}
  int step(const Seen& seen) override;
  // 0: regression, 1: autoregression, 2: smoothing.
  std::size_t believed() const { return believed_; }
  double forecast() const { return forecasts_[believed_]; }  // replicas' worth of load

 private:
  void minute(double load);
  void decide();

  double target_;
  Minutes minutes_;
  std::deque<double> history_;
  double level_ = -1;  // of the smoothing; negative: nothing seen
  double trend_ = 0;
  double sum_ = 0;  // of the interval
  int count_ = 0;
  std::array<double, 3> forecasts_{};
  std::array<double, 3> errors_{};  // absolute, decayed by half each interval
  std::size_t believed_ = 0;
  bool made_ = false;  // forecasts_
  int wanted_ = 0;
};

}  // namespace hive::simulator
