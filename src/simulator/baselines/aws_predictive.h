// AWS predictive scaling beside target tracking (EC2 Auto Scaling user guide, "Predictive
// scaling"):
//  - learns from up to 14 days of hourly load, and needs 24 hours of it;
//  - every 6 hours a forecast of the next 48; AWS does not publish the model: here the mean of the
//    same hour of the week where two weeks are known, of the same hour of the day before;
//  - capacity for an hour is ready a buffer of 300 s before it begins;
//  - it only scales out: the larger of the forecast's and target tracking's capacity holds.
#pragma once

#include <array>
#include <deque>

#include "simulator/baselines/aws_target_tracking.h"

namespace hive::simulator {

class AwsPredictive final : public Policy {
 public:
  explicit AwsPredictive(double target = 0.5) : target_(target), reactive_(target) {}
  int step(const Seen& seen) override;

 private:
  static constexpr std::size_t kHours = 14 * 24;
  static constexpr std::size_t kAhead = 48;
  void refresh();
  int forecast_at(std::int64_t moment) const;

  double target_;
  AwsTargetTracking reactive_;
  std::deque<double> history_;  // mean load of each hour, in replicas; the last is the newest
  std::int64_t history_ends_ = 0;
  double sum_ = 0;
  int samples_ = 0;
  int since_refresh_ = 0;
  std::array<double, kAhead> forecast_{};
  std::int64_t forecast_begins_ = 0;
};

}  // namespace hive::simulator
