#include "decide/forecast/rows.h"

#include <algorithm>
#include <cmath>

namespace hive::decide::forecast {
namespace {

// How many visits of a row weigh as much as the mean of all.
constexpr double kVisits = 2;
// A tick's evidence for or against the rows counts as that part of an independent one.
constexpr double kTemper = 0.03;
constexpr double kLeastTrust = 0.01;
constexpr double kLeastRatio = 1e-3;
constexpr double kUnseen = 1e-4;  // visits that every bin is taken to have had in all rows
constexpr double kMostTail = 0.999;

void weigh(double& trust, double ratio) {
  const double odds = trust / (1 - trust) * std::pow(std::max(ratio, kLeastRatio), kTemper);
  trust = std::clamp(odds / (1 + odds), kLeastTrust, 1 - kLeastTrust);
}

}  // namespace

Rows::Rows(const Options& options)
    : options_(options),
      seen_(options.rows * kBins, 0.0F),
      visits_(options.rows, 0.0F),
      body_trust_(options.body_trust),
      tail_trust_(options.tail_trust),
      begun_(options.rows) {}

Rows::Held Rows::held(std::size_t row) const {
  Held out;
  std::copy_n(&seen_[row * kBins], kBins, out.seen.begin());
  out.visits = visits_[row];
  return out;
}

void Rows::begin(std::size_t row) {
  const auto keep = static_cast<float>(options_.keep);
  for (std::size_t i = row * kBins; i < (row + 1) * kBins; ++i) seen_[i] *= keep;
  visits_[row] *= keep;
  begun_ = row;
  before_ = held(row);
}

void Rows::age_all() {
  const auto keep = static_cast<float>(options_.keep);
  for (float& one : seen_) one *= keep;
  for (float& one : visits_) one *= keep;
}

void Rows::learn(std::size_t row, std::size_t bin, double visits) {
  seen_[row * kBins + bin] += static_cast<float>(visits);
  visits_[row] += static_cast<float>(visits);
}

void Rows::count() {
  std::array<double, kBins> sums{};
  double all = 0;
  for (std::size_t row = 0; row < options_.rows; ++row) {
    const float* seen = &seen_[row * kBins];
    for (std::size_t i = 0; i < kBins; ++i) sums[i] += static_cast<double>(seen[i]);
    all += static_cast<double>(visits_[row]);
  }
  mean_tail_ = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    const double share = (sums[i] + kUnseen) / (all + kUnseen * static_cast<double>(kBins));
    mean_[i] = static_cast<float>(share);
    if (i >= options_.burst) mean_tail_ += share;
  }
  counted_ = true;
}

// Bursts and the rest are judged apart: a family may tell of one and not of the other.
void Rows::judge(std::size_t row, std::size_t bin) {
  if (!counted_) return;
  const Held known = row == begun_ ? before_ : held(row);
  const double visits = static_cast<double>(known.visits) + kVisits;
  double tail = kVisits * mean_tail_;
  for (std::size_t i = options_.burst; i < kBins; ++i) tail += static_cast<double>(known.seen[i]);
  tail = std::min(tail / visits, kMostTail);
  if (bin >= options_.burst) {
    weigh(tail_trust_, tail / mean_tail_);
    return;
  }
  weigh(tail_trust_, (1 - tail) / (1 - mean_tail_));
  const double mean = static_cast<double>(mean_[bin]);
  const double share = (static_cast<double>(known.seen[bin]) + kVisits * mean) / visits;
  weigh(body_trust_, share / mean * (1 - mean_tail_) / (1 - tail));
}

void Rows::apply(std::size_t row, std::array<float, kBins>& share) const {
  if (!counted_) return;
  const auto visits = static_cast<float>(kVisits);
  const float each = 1 / (visits_[row] + visits);
  const float* seen = &seen_[row * kBins];
  const auto body = static_cast<float>(body_trust_);
  const auto tail = static_cast<float>(tail_trust_);
  const auto factor = [&](std::size_t i, float trust) {
    return 1 - trust + trust * (seen[i] / mean_[i] + visits) * each;
  };
  for (std::size_t i = 0; i < options_.burst; ++i) share[i] *= factor(i, body);
  for (std::size_t i = options_.burst; i < kBins; ++i) share[i] *= factor(i, tail);
}

}  // namespace hive::decide::forecast
