#include "simulator/baselines/aws_predictive.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr std::int64_t kHourSeconds = 3600;
constexpr std::size_t kDayHours = 24;
constexpr std::size_t kWeekHours = 7 * kDayHours;
constexpr int kRefresh = 6;
constexpr std::int64_t kBuffer = 300;

}  // namespace

void AwsPredictive::refresh() {
  if (history_.size() < kDayHours) return;
  const std::size_t season = history_.size() >= 2 * kWeekHours ? kWeekHours : kDayHours;
  for (std::size_t ahead = 0; ahead < kAhead; ++ahead) {
    double sum = 0;
    int count = 0;
    for (std::size_t back = season - ahead % season; back <= history_.size(); back += season) {
      sum += history_[history_.size() - back];
      ++count;
    }
    forecast_[ahead] = count > 0 ? sum / count : 0;
  }
  forecast_begins_ = history_ends_;
}

int AwsPredictive::forecast_at(std::int64_t moment) const {
  const std::int64_t hour = (moment - forecast_begins_) / kHourSeconds;
  if (forecast_begins_ == 0 || hour < 0 || hour >= static_cast<std::int64_t>(kAhead)) return 0;
  return static_cast<int>(std::ceil(forecast_[static_cast<std::size_t>(hour)] / target_));
}

int AwsPredictive::step(const Seen& seen) {
  const int reactive = reactive_.step(seen);
  if (seen.known) {
    sum_ += seen.utilisation * seen.ready;
    ++samples_;
  }
  if (seen.now % kHourSeconds == 0 && samples_ > 0) {
    history_.push_back(sum_ / samples_);
    if (history_.size() > kHours) history_.pop_front();
    history_ends_ = seen.now;
    sum_ = 0;
    samples_ = 0;
    if (forecast_begins_ == 0 || ++since_refresh_ >= kRefresh) {
      since_refresh_ = 0;
      refresh();
    }
  }
  return std::max({reactive, forecast_at(seen.now), forecast_at(seen.now + kBuffer)});
}

}  // namespace hive::simulator
