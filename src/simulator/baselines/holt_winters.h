// The Predictive Horizontal Pod Autoscaler with additive Holt-Winters (predictive-horizontal-pod-
// autoscaler.readthedocs.io): the load once a minute into level, trend and a season of a day
// (alpha 0.9, beta 0.1, gamma 0.9 as in its examples), forecast `lead_s` ahead; the larger of the
// forecast's replicas and the HPA's own.
#pragma once

#include <vector>

#include "simulator/baselines/hpa.h"

namespace hive::simulator {

class HoltWinters final : public Policy {
 public:
  HoltWinters(double target, double lead_s);
  int step(const Seen& seen) override;
  double forecast() const { return forecast_; }  // replicas' worth of load

 private:
  void minute(double load);

  double target_;
  std::size_t lead_minutes_;
  Hpa reactive_;
  std::vector<double> season_;
  std::vector<double> first_day_;
  double level_ = 0;
  double trend_ = 0;
  double forecast_ = 0;
  std::size_t minutes_ = 0;
  double sum_ = 0;
  int samples_ = 0;
};

}  // namespace hive::simulator
