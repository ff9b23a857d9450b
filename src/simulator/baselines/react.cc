#include "simulator/baselines/react.h"

#include <algorithm>

namespace hive::simulator {
namespace {

constexpr double kLower = 0.6;  // of the upper threshold

}  // namespace

int React::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = std::max(1, seen.ready + seen.starting);
  const auto load = minutes_.add(seen);
  if (!load) return wanted_;
  if (*load > target_ * wanted_) {
    ++wanted_;
  } else if (wanted_ > 1 && *load < kLower * target_ * wanted_ &&
             *load <= target_ * (wanted_ - 1)) {
    --wanted_;
  }
  return wanted_;
}

}  // namespace hive::simulator
