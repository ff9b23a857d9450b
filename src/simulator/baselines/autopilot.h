// The recommender of Kubernetes' VPA, which follows Google's Autopilot (Rzadca et al., EuroSys
// 2020), applied to the number of replicas: a histogram of the load with exponentially growing
// buckets whose weights halve in 24 h; the 90th percentile plus a margin of 15 %. One sample a
// minute.
#pragma once

#include <array>

#include "simulator/policy.h"

namespace hive::simulator {

class Autopilot final : public Policy {
 public:
  int step(const Seen& seen) override;

 private:
  static constexpr std::size_t kBuckets = 176;
  double percentile() const;

  std::array<double, kBuckets> weights_{};
  double sum_ = 0;
  int samples_ = 0;
  std::int64_t minutes_ = 0;
  int wanted_ = 0;
};

}  // namespace hive::simulator
