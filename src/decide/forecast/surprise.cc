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
constexpr double kMinuteDecay = 0.9923;  // a visit; half-life 90 visits: about four days
constexpr double kDayDecay = 0.92;       // a visit; half-life eight days
constexpr double kAllDecay = 0.99952;    // a minute; half-life a day
// How many visits of a row weigh as much as what is known of all times.
constexpr double kMinuteTrust = 4;
constexpr double kDayTrust = 4;

std::size_t minute_row(std::int64_t moment) {
  return static_cast<std::size_t>(moment / 60 % static_cast<std::int64_t>(kMinuteRows));
}
std::size_t day_row(std::int64_t moment) {
  return static_cast<std::size_t>(moment / kDayRowSeconds % static_cast<std::int64_t>(kDayRows));
}

void age_row(std::vector<float>& table, std::vector<float>& weights, std::size_t row,
             double factor) {
  const auto f = static_cast<float>(factor);
  for (std::size_t i = row * kBins; i < (row + 1) * kBins; ++i) table[i] *= f;
  weights[row] *= f;
}

// Before anything is known: mostly near the forecast, with a tail of what services are seen to do.
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

SurpriseTables::SurpriseTables()
    : all_(prior()),
      minutes_(kMinuteRows * kBins, 0.0F),
      minute_weight_(kMinuteRows, 0.0F),
      days_(kDayRows * kBins, 0.0F),
      day_weight_(kDayRows, 0.0F) {}

void SurpriseTables::learn(std::int64_t moment, double surprise, double weight) {
  const std::size_t bin = bin_of(surprise);
  all_[bin] += static_cast<float>(weight);
  const std::size_t minute = minute_row(moment);
  if (moment / 60 != last_minute_) {
    last_minute_ = moment / 60;
    age_row(minutes_, minute_weight_, minute, kMinuteDecay);
  }
  const auto in_minute = static_cast<float>(weight * 3 / 60);
  minutes_[minute * kBins + bin] += in_minute;
  minute_weight_[minute] += in_minute;
  const std::size_t day = day_row(moment);
  if (moment / kDayRowSeconds != last_part_) {
    last_part_ = moment / kDayRowSeconds;
    age_row(days_, day_weight_, day, kDayDecay);
  }
  const auto in_part = static_cast<float>(weight * 3 / static_cast<double>(kDayRowSeconds));
  days_[day * kBins + bin] += in_part;
  day_weight_[day] += in_part;
}

void SurpriseTables::decay_minute() {
  for (float& one : all_) one *= static_cast<float>(kAllDecay);
}

void SurpriseTables::expect(std::int64_t moment, Surprises& out) const {
  double sum = 0;
  for (const float one : all_) sum += static_cast<double>(one);
  const std::size_t minute = minute_row(moment);
  const std::size_t day = day_row(moment);
  // The rows' weights are what they hold (visits), each against its trust.
  const double of_minute = 1 / kMinuteTrust;
  const double of_day = 1 / kDayTrust;
  const double whole = 1 + static_cast<double>(minute_weight_[minute]) * of_minute +
                       static_cast<double>(day_weight_[day]) * of_day;
  const auto a = static_cast<float>(1 / sum / whole);
  const auto m = static_cast<float>(of_minute / whole);
  const auto d = static_cast<float>(of_day / whole);
  const float* minute_bins = &minutes_[minute * kBins];
  const float* day_bins = &days_[day * kBins];
  for (std::size_t i = 0; i < kBins; ++i)
    out.share[i] = a * all_[i] + m * minute_bins[i] + d * day_bins[i];
}

}  // namespace hive::decide::forecast
