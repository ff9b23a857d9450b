#include "simulator/baselines/holt_winters.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hive::simulator {
namespace {

constexpr std::size_t kSeason = 24 * 60;
constexpr double kSeasonalAlpha = 0.9;
constexpr double kSeasonalBeta = 0.1;
constexpr double kSeasonalGamma = 0.9;

}  // namespace

HoltWinters::HoltWinters(double target, double lead_s)
    : target_(target),
      lead_minutes_(static_cast<std::size_t>(std::max(1.0, std::ceil(lead_s / 60)))),
      reactive_(target) {}

void HoltWinters::minute(double load) {
  if (season_.empty()) {  // the first day starts level and season
    first_day_.push_back(load);
    if (first_day_.size() < kSeason) return;
    level_ = std::accumulate(first_day_.begin(), first_day_.end(), 0.0) / kSeason;
    for (const double one : first_day_) season_.push_back(one - level_);
    first_day_.clear();
    return;
  }
  double& season = season_[minutes_ % kSeason];
  const double before = level_;
  level_ = kSeasonalAlpha * (load - season) + (1 - kSeasonalAlpha) * (level_ + trend_);
  trend_ = kSeasonalBeta * (level_ - before) + (1 - kSeasonalBeta) * trend_;
  season = kSeasonalGamma * (load - level_) + (1 - kSeasonalGamma) * season;
  ++minutes_;
  const auto ahead = static_cast<double>(lead_minutes_);
  forecast_ = level_ + ahead * trend_ + season_[(minutes_ + lead_minutes_ - 1) % kSeason];
}

int HoltWinters::step(const Seen& seen) {
  const int reactive = reactive_.step(seen);
  if (seen.known) {
    sum_ += seen.utilisation * seen.ready;
    ++samples_;
  }
  if (seen.now % 60 == 0 && samples_ > 0) {
    minute(sum_ / samples_);
    sum_ = 0;
    samples_ = 0;
  }
  return std::max(reactive, static_cast<int>(std::ceil(std::max(0.0, forecast_) / target_)));
}

}  // namespace hive::simulator
