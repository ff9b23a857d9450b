#include "decide/autoscale/lead_time.h"

#include <algorithm>
#include <cmath>

namespace hive::decide::autoscale {

void LeadTime::saw(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return;
  last_.push_back(std::clamp(seconds, kLeast, kMost));
  if (last_.size() > kRemembered) last_.pop_front();
}

double LeadTime::seconds() const {
  if (last_.empty()) return kUnknown;
  std::vector<double> sorted(last_.begin(), last_.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted[(sorted.size() * 3 - 1) / 4];
}

}  // namespace hive::decide::autoscale
