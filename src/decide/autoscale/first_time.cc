#include "decide/autoscale/first_time.h"

#include <algorithm>

namespace hive::decide::autoscale {

double FirstTime::update(double seconds, double most, double ever) {
  left_s_ -= seconds;
  if (left_s_ <= 0) held_ = 0;
  if (seen_s_ < kSettle_s) {
    seen_s_ += seconds;
    known_ = ever;
    return 0;
  }
  if (most > kFar * known_) {
    held_ = std::max(held_, kGrows * most);
    left_s_ = kHold_s;
  }
  known_ += (ever - known_) * (ever > known_ ? std::min(1.0, seconds / kKnown_s) : 1);
  return held_;
}

}  // namespace hive::decide::autoscale
