#include "decide/forecast/surprise.h"

#include <algorithm>
#include <cmath>

namespace hive::decide::forecast {
namespace {

constexpr double kLowest = -3.2;  // asinh of the lowest bin's middle
constexpr double kPerUnit = 7.5;  // bins in a unit of asinh
constexpr std::size_t kMinuteRows = 60;
constexpr std::size_t kDayRows = 288;
constexpr std::int64_t kDayRowSeconds = 300;
constexpr std::size_t kHeightRows = 24;
constexpr double kHeightsInDouble = 2;   // rows from a load to twice of it
constexpr double kLowestHeight = -3.25;  // log2 of the load below which all is one
constexpr double kMinuteDecay = 0.9923;  // a visit; half-life 90 visits: about four days
constexpr double kDayDecay = 0.92;       // a visit; half-life eight days
constexpr double kHeightDecay = 0.9997;  // a minute; half-life 38 hours
constexpr double kAllDecay = 0.99952;    // a minute; half-life a day
constexpr double kLongDecay = 0.999966;  // a minute; half-life two weeks
constexpr double kTickSeconds = 3;
constexpr double kBurst = 2;  // from here on a surprise is one

std::size_t minute_row(std::int64_t moment) {
  return static_cast<std::size_t>(moment / 60 % static_cast<std::int64_t>(kMinuteRows));
}
std::size_t day_row(std::int64_t moment) {
  return static_cast<std::size_t>(moment / kDayRowSeconds % static_cast<std::int64_t>(kDayRows));
}

std::size_t height_row(double load) {
  const double row = (std::log2(std::max(load, 1e-3)) - kLowestHeight) * kHeightsInDouble;
  return static_cast<std::size_t>(std::clamp(row, 0.0, static_cast<double>(kHeightRows - 1)));
}

std::size_t burst_bin() {
  static const std::size_t bin = SurpriseTables::bin_of(kBurst);
  return bin;
}

// Before anything is known: mostly near the forecast, with a tail of what
// services are seen to do.
std::vector<float> prior() {
  std::vector<float> out(kBins, 0.0F);
  const auto& z = SurpriseTables::centres();
  double sum = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    const double width = std::sqrt(1 + z[i] * z[i]);  // of the bin, but for a factor
    const double tail = z[i] > 0 ? 0.004 / (1 + z[i] * z[i]) / (1 + z[i] / 10) : 0;
    const double density = std::exp(-0.5 * z[i] * z[i]) * 0.4 + tail;
    out[i] = static_cast<float>(density * width);
    sum += static_cast<double>(out[i]);
  }
  constexpr double kPriorTicks = 100;
  for (float& one : out) one = static_cast<float>(static_cast<double>(one) / sum * kPriorTicks);
  return out;
}

}  // namespace

const std::array<double, kBins>& SurpriseTables::centres() {
  static const std::array<double, kBins> values = [] {
    std::array<double, kBins> out{};
    for (std::size_t i = 0; i < kBins; ++i)
      out[i] = std::sinh(kLowest + static_cast<double>(i) / kPerUnit);
    return out;
  }();
  return values;
}

std::size_t SurpriseTables::bin_of(double surprise) {
  const double place = (std::asinh(surprise) - kLowest) * kPerUnit + 0.5;
  return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kBins - 1)));
}

// That bursts keep to the clock is to be shown by bursts first; that they depend on the height of
// the load is the rule.
SurpriseTables::SurpriseTables(double lead_s)
    : lead_s_(lead_s),
      all_(prior()),
      long_(prior()),
      minutes_({kMinuteRows, kMinuteDecay, 0.5, 0.3, burst_bin()}),
      days_({kDayRows, kDayDecay, 0.5, 0.1, burst_bin()}),
      heights_({kHeightRows, kHeightDecay, 0.8, 0.8, burst_bin()}) {
  count_rare();
}

void SurpriseTables::learn(const Occasion& occasion, double surprise, double weight) {
  const std::size_t bin = bin_of(surprise);
  all_[bin] += static_cast<float>(weight);
  long_[bin] += static_cast<float>(weight);
  const double seconds = weight * kTickSeconds;
  const std::size_t minute = minute_row(occasion.moment);
  if (occasion.moment / 60 != last_minute_) {
    last_minute_ = occasion.moment / 60;
    minutes_.begin(minute);
  }
  minutes_.learn(minute, bin, seconds / 60);
  const std::size_t day = day_row(occasion.moment);
  if (occasion.moment / kDayRowSeconds != last_part_) {
    last_part_ = occasion.moment / kDayRowSeconds;
    days_.begin(day);
  }
  days_.learn(day, bin, seconds / static_cast<double>(kDayRowSeconds));
  heights_.learn(height_row(occasion.load), bin, seconds / lead_s_);
}

void SurpriseTables::judge(const Occasion& occasion, double surprise) {
  const std::size_t bin = bin_of(surprise);
  minutes_.judge(minute_row(occasion.moment), bin);
  days_.judge(day_row(occasion.moment), bin);
  heights_.judge(height_row(occasion.load), bin);
}

void SurpriseTables::decay_minute() {
  for (float& one : all_) one *= static_cast<float>(kAllDecay);
  for (float& one : long_) one *= static_cast<float>(kLongDecay);
  heights_.age_all();
  minutes_.count();
  days_.count();
  heights_.count();
  count_rare();
}

// What came once of late and hardly ever before is as rare as the weeks say, not as the day does:
// up to one burst's surprises above the weeks' share are taken off the day's, from its upper end.
void SurpriseTables::count_rare() {
  const std::size_t burst = burst_bin();
  double day = 0;
  double weeks = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    day += static_cast<double>(all_[i]);
    weeks += static_cast<double>(long_[i]);
  }
  double left = lead_s_ / kTickSeconds / day;
  double taken = 0;
  for (std::size_t i = kBins; i-- > 0;) {
    double share = static_cast<double>(all_[i]) / day;
    if (i >= burst) {
      const double above = share - static_cast<double>(long_[i]) / weeks;
      const double part = std::clamp(above, 0.0, left);
      left -= part;
      taken += part;
      share -= part;
    } else if (i + 1 == burst) {
      share += taken;
    }
    tail_[i] = static_cast<float>(share);
  }
}

void SurpriseTables::expect(const Occasion& occasion, Surprises& out) const {
  out.share = tail_;
  minutes_.apply(minute_row(occasion.moment), out.share);
  days_.apply(day_row(occasion.moment), out.share);
  heights_.apply(height_row(occasion.load), out.share);
  float sum = 0;
  for (const float one : out.share) sum += one;
  for (float& one : out.share) one /= sum;
}

}  // namespace hive::decide::forecast
