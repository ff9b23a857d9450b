// AWS target tracking of an Auto Scaling group on average CPU (EC2 Auto Scaling user guide, "Target
// tracking scaling policies"):
//  - CloudWatch's one-minute averages; the high alarm needs 3 of 3 above the target, the low alarm
//    15 of 15 below 90 % of it;
//  - out: capacity in proportion, rounded up; instances that still warm up (300 s) are not in the
//    average and count as capacity that is on its way;
//  - in: rounded so that the target is not passed again, and not while instances warm up, nor
//    within 300 s of the last scaling in.
#pragma once

#include <deque>

#include "simulator/policy.h"

namespace hive::simulator {

class AwsTargetTracking final : public Policy {
 public:
  explicit AwsTargetTracking(double target = 0.5) : target_(target) {}
  int step(const Seen& seen) override;

 private:
  void minute(const Seen& seen, double utilisation);

  double target_;
  double sum_ = 0;
  int samples_ = 0;
  int above_ = 0;  // minutes in a row
  int below_ = 0;
  std::int64_t warm_until_ = 0;
  std::int64_t no_in_before_ = 0;
  std::int64_t seconds_ = 0;
  int wanted_ = 0;
};

}  // namespace hive::simulator
