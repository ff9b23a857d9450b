// A bound, not a rival: Lazy Capacity Provisioning that is shown the second a boot time ahead, so
// that what it orders serves just when that second comes. What it costs above the optimum is what
// not knowing further costs; what a policy without foresight costs above it is what the next boot
// time keeps secret.
#pragma once

#include <cmath>

#include "simulator/baselines/lcp.h"
#include "simulator/load.h"

namespace hive::simulator {

class Foresight final : public Policy {
 public:
  // `load` outlives it.
  Foresight(const Load& load, double price, double lead_s, double capacity)
      : load_(load), ahead_(std::llround(lead_s)), lcp_(price, lead_s, capacity) {}
  int step(const Seen& seen) override;

 private:
  const Load& load_;
  std::int64_t ahead_;
  Lcp lcp_;
};

}  // namespace hive::simulator
