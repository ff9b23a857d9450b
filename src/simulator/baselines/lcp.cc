#include "simulator/baselines/lcp.h"

#include <algorithm>

namespace hive::simulator {

int Lcp::step(const Seen& seen) {
  if (wanted_ == 0) {
    wanted_ = std::max(1, seen.ready + seen.starting);
    ahead_.assign(static_cast<std::size_t>(wanted_), 0.0);
  }
  if (!seen.known) return wanted_;
  const double load = seen.requests / capacity_;
  while (static_cast<double>(ahead_.size()) < load) ahead_.push_back(-start_cost_s_);
  // Use falls from level to level, and so does what is ahead: levels nest.
  for (std::size_t k = 0; k < ahead_.size(); ++k) {
    const double use = std::clamp(load - static_cast<double>(k), 0.0, 1.0);
    ahead_[k] = std::clamp(ahead_[k] + price_ * use - 1, -start_cost_s_, 0.0);
    const auto level = static_cast<int>(k) + 1;
    if (ahead_[k] >= 0) wanted_ = std::max(wanted_, level);
  }
  while (wanted_ > 1 && ahead_[static_cast<std::size_t>(wanted_ - 1)] <= -start_cost_s_) --wanted_;
  while (!ahead_.empty() && ahead_.back() <= -start_cost_s_ &&
         ahead_.size() > static_cast<std::size_t>(wanted_))
    ahead_.pop_back();
  return wanted_;
}

}  // namespace hive::simulator
