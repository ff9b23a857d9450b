#include "simulator/baselines/autopilot.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr double kFirst = 0.01;   // replicas, end of the first bucket
constexpr double kGrowth = 1.05;  // each bucket 5 % wider, as in VPA
constexpr double kHalfLifeMinutes = 24 * 60;
constexpr double kAutopilotPercentile = 0.9;
constexpr double kAutopilotMargin = 1.15;

std::size_t bucket_of(double load, std::size_t buckets) {
  if (load < kFirst) return 0;
  const double index = std::log(load / kFirst * (kGrowth - 1) + 1) / std::log(kGrowth);
  return std::min(static_cast<std::size_t>(index), buckets - 1);
}

double end_of(std::size_t bucket) {
  return kFirst * (std::pow(kGrowth, static_cast<double>(bucket) + 1) - 1) / (kGrowth - 1);
}

}  // namespace

double Autopilot::percentile() const {
  double all = 0;
  for (const double weight : weights_) all += weight;
  double seen = 0;
  std::size_t bucket = 0;
  for (; bucket + 1 < kBuckets; ++bucket) {
    seen += weights_[bucket];
    if (seen >= kAutopilotPercentile * all) break;
  }
  return end_of(bucket);
}

int Autopilot::step(const Seen& seen) {
  if (wanted_ == 0) wanted_ = seen.ready + seen.starting;
  if (seen.known) {
    sum_ += seen.utilisation * seen.ready;
    ++samples_;
  }
  if (seen.now % 60 != 0 || samples_ == 0) return wanted_;
  ++minutes_;
  const double decay = std::exp2(-1 / kHalfLifeMinutes);
  for (double& weight : weights_) weight *= decay;
  weights_[bucket_of(sum_ / samples_, kBuckets)] += 1;
  sum_ = 0;
  samples_ = 0;
  wanted_ = std::max(1, static_cast<int>(std::ceil(kAutopilotMargin * percentile())));
  return wanted_;
}

}  // namespace hive::simulator
