#include "simulator/baselines/aws_target_tracking.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr int kHighAlarm = 3;
constexpr int kLowAlarm = 15;
constexpr double kLowShare = 0.9;
constexpr std::int64_t kWarmUp = 300;
constexpr std::int64_t kTrackingCooldown = 300;

}  // namespace

void AwsTargetTracking::minute(const Seen& seen, double utilisation) {
  above_ = utilisation > target_ ? above_ + 1 : 0;
  below_ = utilisation < kLowShare * target_ ? below_ + 1 : 0;
  const int needed = static_cast<int>(std::ceil(seen.ready * utilisation / target_ - 1e-9));
  if (above_ >= kHighAlarm && needed > wanted_) {
    wanted_ = needed;
    warm_until_ = seen.now + kWarmUp;
    return;
  }
  if (below_ < kLowAlarm || seen.now < warm_until_ || seen.now < no_in_before_) return;
  if (needed >= wanted_) return;
  wanted_ = std::max(1, needed);
  no_in_before_ = seen.now + kTrackingCooldown;
}

int AwsTargetTracking::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = seen.ready + seen.starting;
  if (seen.known) {
    sum_ += seen.utilisation;
    ++samples_;
  }
  if (++seconds_ % kMinute != 0) return wanted_;
  if (samples_ > 0) minute(seen, sum_ / samples_);
  sum_ = 0;
  samples_ = 0;
  return wanted_;
}

}  // namespace hive::simulator
