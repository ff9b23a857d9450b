#include "simulator/baselines/reg.h"

#include <algorithm>
#include <cmath>

#include "decide/forecast/regression.h"

namespace hive::simulator {
namespace {

constexpr std::size_t kRegHistory = 60;  // minutes

}  // namespace

double extrapolate_parabola(const std::deque<double>& values) {
  if (values.size() < 3) return values.empty() ? 0 : values.back();
  decide::forecast::Ridge<3> fit({}, decide::forecast::kTinyPenalty);
  const auto size = static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(i) / size - 1;  // 0 is the value sought
    fit.learn({1, x, x * x}, values[i]);
  }
  fit.solve();
  return fit.predict({1, 0, 0});
}

int Reg::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = std::max(1, seen.ready + seen.starting);
  const auto load = minutes_.add(seen);
  if (!load) return wanted_;
  history_.push_back(*load);
  if (history_.size() > kRegHistory) history_.pop_front();
  const int needed = std::max(1, static_cast<int>(std::ceil(*load / target_)));
  const double next = std::max(0.0, extrapolate_parabola(history_));
  const int expected = static_cast<int>(std::ceil(next / target_));
  wanted_ = needed > wanted_ ? needed : std::min(wanted_, std::max(needed, expected));
  return wanted_;
}

}  // namespace hive::simulator
