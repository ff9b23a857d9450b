#include "simulator/baselines/adapt.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {

void Adapt::change(int wanted, double load) {
  wanted_ = wanted;
  at_change_ = load;
  since_change_ = 0;
}

int Adapt::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = std::max(1, seen.ready + seen.starting);
  const auto load = minutes_.add(seen);
  if (!load) return wanted_;
  const bool first = before_ < 0;
  if (first) change(wanted_, *load);
  since_change_ += first ? 0 : 1;
  const double rise = first ? 0 : std::max(0.0, *load - before_);
  const double fall = (at_change_ - *load) / std::max(1, since_change_);  // a minute
  before_ = *load;
  const int needed = std::max(1, static_cast<int>(std::ceil(*load / target_)));
  if (needed > wanted_) {
    change(std::max(needed, static_cast<int>(std::ceil((*load + rise) / target_))), *load);
  } else if (needed < wanted_ && fall >= 0 && since_change_ > 1) {
    const int less = std::max(1, static_cast<int>(fall / target_));
    change(std::max(needed, wanted_ - less), *load);
  }
  return wanted_;
}

}  // namespace hive::simulator
