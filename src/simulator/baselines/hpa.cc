#include "simulator/baselines/hpa.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr std::int64_t kHpaPeriod = 15;
constexpr double kHpaTolerance = 0.1;

}  // namespace

int Hpa::recommend(int ready, int current) const {
  if (ready == 0) return current;
  const double ratio = usage_.mean() / target_;
  if (std::abs(ratio - 1) <= kHpaTolerance) return current;
  if (ready == current || ratio < 1) return static_cast<int>(std::ceil(ratio * ready - 1e-9));
  // Those not ready are taken as idle.
  const double with_idle = ratio * ready / current;
  if (with_idle <= 1 + kHpaTolerance) return current;
  return static_cast<int>(std::ceil(with_idle * current - 1e-9));
}

int Hpa::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = seen.ready + seen.starting;
  if (seen.known) usage_.add(seen.utilisation);
  if (++seconds_ % kHpaPeriod != 0 || !seen.known) return wanted_;
  const int current = seen.ready + seen.starting;
  const int recommended = std::max(1, recommend(seen.ready, current));
  const int stable = recent_.add(seen.now, recommended);
  if (recommended > current)
    wanted_ = std::min(recommended, std::max(current + 4, current * 2));
  else
    wanted_ = std::min(current, stable);
  return wanted_;
}

}  // namespace hive::simulator
