// hive's own sizing in the simulator: the code of decide/autoscale, fed with what the world shows.
#pragma once

#include "decide/autoscale/sizer.h"
#include "simulator/policy.h"

namespace hive::simulator {

class HivePolicy final : public Policy {
 public:
  // `capacity`: requests a second that a replica serves.
  HivePolicy(const decide::autoscale::SizerOptions& options, double capacity)
      : sizer_(options), capacity_(capacity) {}
  int step(const Seen& seen) override {
    std::optional<double> load;
    if (seen.known) load = seen.requests / capacity_;
    return sizer_.observe(seen.now, load, seen.ready);
  }
  const decide::autoscale::Sizer& sizer() const { return sizer_; }

 private:
  decide::autoscale::Sizer sizer_;
  double capacity_;
};

}  // namespace hive::simulator
