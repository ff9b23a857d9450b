#include "simulator/baselines/conpaas.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "decide/forecast/regression.h"

namespace hive::simulator {
namespace {

using decide::forecast::kTinyPenalty;
using decide::forecast::Ridge;

constexpr std::size_t kConpaasHistory = 60;  // minutes
constexpr int kInterval = 10;                // minutes
constexpr double kHoltAlpha = 0.5;
constexpr double kHoltBeta = 0.1;
constexpr double kIn = 0.75;
constexpr double kRounding = 1e-4;

double line_ahead(const std::deque<double>& values) {
  Ridge<2> fit({}, kTinyPenalty);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double back = static_cast<double>(values.size() - 1 - i) / kConpaasHistory;
    fit.learn({1, -back}, values[i]);
  }
  fit.solve();
  return fit.predict({1, static_cast<double>(kInterval) / kConpaasHistory});
}

double autoregression_ahead(const std::deque<double>& values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  Ridge<2> fit({}, kTinyPenalty);
  for (std::size_t i = 2; i < values.size(); ++i)
    fit.learn({values[i - 1] - mean, values[i - 2] - mean}, values[i] - mean);
  fit.solve();
  double last = values.back() - mean;
  double before = values.size() > 1 ? values[values.size() - 2] - mean : 0;
  double sum = 0;
  for (int i = 0; i < kInterval; ++i) {
    const double next = std::clamp(fit.predict({last, before}), -mean, 10 * mean);
    before = last;
    last = next;
    sum += next;
  }
  return mean + sum / kInterval;
}

}  // namespace

void Conpaas::minute(double load) {
  history_.push_back(load);
  if (history_.size() > kConpaasHistory) history_.pop_front();
  const double before = level_;
  level_ = level_ < 0 ? load : kHoltAlpha * load + (1 - kHoltAlpha) * (level_ + trend_);
  if (before >= 0) trend_ = kHoltBeta * (level_ - before) + (1 - kHoltBeta) * trend_;
  sum_ += load;
  ++count_;
}

void Conpaas::decide() {
  const double came = sum_ / count_;
  if (made_)
    for (std::size_t i = 0; i < errors_.size(); ++i)
      errors_[i] = errors_[i] / 2 + std::abs(forecasts_[i] - came);
  forecasts_ = {line_ahead(history_), autoregression_ahead(history_),
                level_ + trend_ * kInterval / 2};
  for (double& one : forecasts_) one = std::max(0.0, one);
  made_ = true;
  believed_ =
      static_cast<std::size_t>(std::min_element(errors_.begin(), errors_.end()) - errors_.begin());
  const double next = forecast();
  const int needed = std::max(1, static_cast<int>(std::ceil(next / target_ - kRounding)));
  if (needed > wanted_ || next < kIn * target_ * wanted_) wanted_ = needed;
  sum_ = 0;
  count_ = 0;
}

int Conpaas::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = std::max(1, seen.ready + seen.starting);
  if (const auto load = minutes_.add(seen)) minute(*load);
  if (seen.now % (kInterval * 60) == 0 && count_ > 0) decide();
  return wanted_;
}

}  // namespace hive::simulator
