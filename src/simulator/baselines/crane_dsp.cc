#include "simulator/baselines/crane_dsp.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace hive::simulator {
namespace {

constexpr std::size_t kDayMinutes = 24 * 60;
constexpr std::size_t kDspHistory = 3 * kDayMinutes;
constexpr std::size_t kHourMinutes = 60;
constexpr std::size_t kStrongest = 20;
constexpr double kDspMargin = 1.2;
constexpr double kPeriodic = 0.5;

}  // namespace

std::vector<Wave> strongest_waves(const std::deque<float>& history, std::size_t highest,
                                  std::size_t count) {
  const auto size = static_cast<double>(history.size());
  std::vector<Wave> all;
  for (std::size_t cycles = 0; cycles < highest; ++cycles) {
    const std::complex<double> turn =
        std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(cycles) / size);
    std::complex<double> hand = 1;  // turned step by step: a sine for each would take seconds
    Wave wave{.cycles = cycles};
    for (const float one : history) {
      wave.cosine += static_cast<double>(one) * hand.real();
      wave.sine += static_cast<double>(one) * hand.imag();
      hand = {hand.real() * turn.real() - hand.imag() * turn.imag(),
              hand.real() * turn.imag() + hand.imag() * turn.real()};
    }
    const double scale = (cycles == 0 ? 1 : 2) / size;
    wave.cosine *= scale;
    wave.sine *= scale;
    all.push_back(wave);
  }
  std::sort(all.begin(), all.end(), [](const Wave& a, const Wave& b) {
    return std::hypot(a.cosine, a.sine) > std::hypot(b.cosine, b.sine);
  });
  all.resize(std::min(all.size(), count));
  return all;
}

double autocorrelation(const std::deque<float>& history, std::size_t lag) {
  if (lag >= history.size()) return 0;
  double mean = 0;
  for (const float one : history) mean += static_cast<double>(one);
  mean /= static_cast<double>(history.size());
  double both = 0, early = 0, late = 0;
  for (std::size_t i = lag; i < history.size(); ++i) {
    const double a = static_cast<double>(history[i - lag]) - mean;
    const double b = static_cast<double>(history[i]) - mean;
    both += a * b;
    early += a * a;
    late += b * b;
  }
  return early > 0 && late > 0 ? both / std::sqrt(early * late) : 0;
}

void CraneDsp::forecast() {
  ahead_.clear();
  minute_ = 0;
  if (history_.size() < kDspHistory || autocorrelation(history_, kDayMinutes) < kPeriodic) return;
  const auto waves = strongest_waves(history_, kDspHistory / kHourMinutes, kStrongest);
  std::vector<double> values(2 * kHourMinutes, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (const Wave& wave : waves) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(wave.cycles) *
                           static_cast<double>(i) / static_cast<double>(kDspHistory);
      values[i] += wave.cosine * std::cos(angle) + wave.sine * std::sin(angle);
    }
  for (std::size_t i = 0; i < kHourMinutes; ++i) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(i);
    ahead_.push_back(*std::max_element(from, from + static_cast<std::ptrdiff_t>(kHourMinutes)));
  }
}

int CraneDsp::step(const Seen& seen) {
  const int reactive = reactive_.step(seen);
  if (const auto load = minutes_.add(seen)) {
    history_.push_back(static_cast<float>(*load));
    if (history_.size() > kDspHistory) history_.pop_front();
    if (++minute_ >= kHourMinutes) forecast();
  }
  if (ahead_.empty()) return reactive;
  const double most = std::max(0.0, ahead_[std::min(minute_, ahead_.size() - 1)]) * kDspMargin;
  return std::max(reactive, static_cast<int>(std::ceil(most / target_)));
}

}  // namespace hive::simulator
