#include "simulator/baselines/hypa.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr std::size_t kMinutes = 7 * 24 * 60;
constexpr double kSmoothing = 0.5;

std::size_t minute_of_week(std::int64_t moment) {
  return static_cast<std::size_t>(moment / 60) % kMinutes;
}

}  // namespace

Hypa::Hypa(double target, double lead_s)
    : target_(target), lead_s_(std::llround(lead_s)), reactive_(target), table_(kMinutes, -1.0) {}

int Hypa::step(const Seen& seen) {
  const int reactive = reactive_.step(seen);
  if (seen.known) {
    sum_ += seen.utilisation * seen.ready;
    ++samples_;
  }
  if (seen.now % 60 == 0 && samples_ > 0) {
    double& cell = table_[minute_of_week(seen.now - 60)];
    const double mean = sum_ / samples_;
    cell = cell < 0 ? mean : cell + kSmoothing * (mean - cell);
    sum_ = 0;
    samples_ = 0;
  }
  const double ahead =
      std::max(table_[minute_of_week(seen.now)], table_[minute_of_week(seen.now + lead_s_)]);
  return std::max(reactive, static_cast<int>(std::ceil(std::max(0.0, ahead) / target_)));
}

}  // namespace hive::simulator
