#include "simulator/baselines/hist.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hive::simulator {
namespace {

constexpr std::size_t kKept = 7 * 60;  // minutes of an hour of the day
constexpr double kHistPercentile = 0.95;
constexpr std::size_t kHoursOfErrors = 3;
constexpr double kBeyond = 1.1;

int needed(double load, double target) {
  return std::max(1, static_cast<int>(std::ceil(load / target)));
}

double percentile(const std::deque<float>& loads) {
  std::vector<float> sorted(loads.begin(), loads.end());
  const auto rank = static_cast<std::ptrdiff_t>(
      std::ceil(kHistPercentile * static_cast<double>(sorted.size())) - 1);
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
  return static_cast<double>(sorted[static_cast<std::size_t>(rank)]);
}

}  // namespace

void Hist::next_hour(std::size_t hour) {
  if (predicted_ > 0) missed_.push_back(std::max(0.0, busiest_ - predicted_));
  if (missed_.size() > kHoursOfErrors) missed_.pop_front();
  const double missed = missed_.empty() ? 0
                                        : std::accumulate(missed_.begin(), missed_.end(), 0.0) /
                                              static_cast<double>(missed_.size());
  predicted_ = (seen_[hour].empty() ? busiest_ : percentile(seen_[hour])) + missed;
  busiest_ = 0;
  wanted_ = needed(predicted_, target_);
}

int Hist::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = std::max(1, seen.ready + seen.starting);
  const auto load = minutes_.add(seen);
  if (!load) return wanted_;
  auto& hour = seen_[static_cast<std::size_t>((seen.now - 60) / 3600 % 24)];
  hour.push_back(static_cast<float>(*load));
  if (hour.size() > kKept) hour.pop_front();
  busiest_ = std::max(busiest_, *load);
  five_ = std::max(five_, *load);
  if (seen.now % 3600 == 0) next_hour(static_cast<std::size_t>(seen.now / 3600 % 24));
  if (seen.now % 300 != 0) return wanted_;
  if (five_ > kBeyond * target_ * wanted_) wanted_ = needed(five_, target_);
  five_ = 0;
  return wanted_;
}

}  // namespace hive::simulator
