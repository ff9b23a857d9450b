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
constexpr double kLongDecay = 0.999966;  // a minute; half-life two weeks
constexpr double kTickSeconds = 3;
// How many visits of a row weigh as much as what is known of all times.
constexpr double kVisits = 4;
// A tick's evidence for or against the clock counts as that part of an
// independent one.
constexpr double kTemper = 0.03;
constexpr double kLeastTrust = 0.01;
// From here on a surprise is a burst, that a row counts once.
constexpr double kBurst = 2;
constexpr double kHourOfVisits = 60;

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

SurpriseTables::SurpriseTables(double lead_s)
    : lead_s_(lead_s),
      all_(prior()),
      long_(prior()),
      minutes_(kMinuteRows * kBins, 0.0F),
      minute_weight_(kMinuteRows, 0.0F),
      days_(kDayRows * kBins, 0.0F),
      day_weight_(kDayRows, 0.0F) {
  count_rare();
}

void SurpriseTables::learn(std::int64_t moment, double surprise, double weight) {
  const std::size_t bin = bin_of(surprise);
  all_[bin] += static_cast<float>(weight);
  long_[bin] += static_cast<float>(weight);
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

SurpriseTables::Mix SurpriseTables::mix_at(std::int64_t moment) const {
  Mix mix;
  double sum = 0;
  for (const float one : all_) sum += static_cast<double>(one);
  mix.minute = minute_row(moment);
  mix.day = day_row(moment);
  const double minute = minute_trust_ * static_cast<double>(minute_weight_[mix.minute]);
  const double day = day_trust_ * static_cast<double>(day_weight_[mix.day]);
  const double whole = 1 + minute / kVisits + day / kVisits;
  mix.all = 1 / sum;
  mix.of_all = (1 - rows_trust_) * mix.all / whole;
  mix.of_rows = rows_trust_ / whole;
  mix.of_minute = minute_trust_ / kVisits / whole;
  mix.of_day = day_trust_ / kVisits / whole;
  return mix;
}

// A row on its own, with one visit of all times: does it tell better than all
// times what came?
void SurpriseTables::weigh(double& trust, double row, double visits, double all) {
  const double alone = (row + all) / (visits + 1);
  const double odds =
      trust / (1 - trust) * std::exp(kTemper * std::log((alone + 1e-5) / (all + 1e-5)));
  trust = std::clamp(odds / (1 + odds), kLeastTrust, 1 - kLeastTrust);
}

void SurpriseTables::judge(std::int64_t moment, double surprise) {
  const Mix mix = mix_at(moment);
  const std::size_t bin = bin_of(surprise);
  const double all = mix.all * static_cast<double>(all_[bin]);
  weigh(minute_trust_, static_cast<double>(minutes_[mix.minute * kBins + bin]),
        static_cast<double>(minute_weight_[mix.minute]), all);
  weigh(day_trust_, static_cast<double>(days_[mix.day * kBins + bin]),
        static_cast<double>(day_weight_[mix.day]), all);
}

void SurpriseTables::decay_minute() {
  for (float& one : all_) one *= static_cast<float>(kAllDecay);
  for (float& one : long_) one *= static_cast<float>(kLongDecay);
  count_rows();
  count_rare();
}

// What came once of late and hardly ever before is as rare as the weeks say, not as the day does:
// up to one burst's surprises above the weeks' share are taken off the day's, from its upper end.
void SurpriseTables::count_rare() {
  static const std::size_t burst = bin_of(kBurst);
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

// What a minute expects that has seen no burst yet: not how often bursts were, but in how many
// minutes of the hour there were any (the continuation counts of Kneser and Ney, "Improved
// backing-off for m-gram language modeling", 1995). One that comes each hour at the same minute
// says nothing of the others.
void SurpriseTables::count_rows() {
  static const std::size_t burst = bin_of(kBurst);
  std::array<double, kBins> counts{};
  double sum = 0;
  for (std::size_t row = 0; row < kMinuteRows; ++row) {
    double left = 1;
    for (std::size_t i = kBins; i-- > 0;) {
      double visits = static_cast<double>(minutes_[row * kBins + i]);
      if (i >= burst) {
        visits = std::min(visits, left);
        left -= visits;
      }
      counts[i] += visits;
      sum += visits;
    }
  }
  for (std::size_t i = 0; i < kBins; ++i)
    rows_[i] = sum > 0 ? static_cast<float>(counts[i] / sum) : 0.0F;
  rows_trust_ = minute_trust_ * sum / (sum + kHourOfVisits);
}

void SurpriseTables::expect(std::int64_t moment, Surprises& out) const {
  const Mix mix = mix_at(moment);
  const auto a = static_cast<float>(mix.of_all / mix.all);
  const auto r = static_cast<float>(mix.of_rows);
  const auto m = static_cast<float>(mix.of_minute);
  const auto d = static_cast<float>(mix.of_day);
  const float* minute_bins = &minutes_[mix.minute * kBins];
  const float* day_bins = &days_[mix.day * kBins];
  for (std::size_t i = 0; i < kBins; ++i)
    out.share[i] = a * tail_[i] + r * rows_[i] + m * minute_bins[i] + d * day_bins[i];
}

}  // namespace hive::decide::forecast
