// A service's own x-hive.autoscale in the simulator: the autoscaler that runs in production, with
// its schedules, speed limits, stabilisation windows and cooldowns, fed with what the world shows.
#pragma once

#include <functional>
#include <vector>

#include "decide/autoscale/autoscaler.h"
#include "simulator/policy.h"

namespace hive::simulator {

// Seconds east of UTC of each schedule's zone at a moment, in the policy's order.
using ZoneOffsets = std::function<std::vector<int>(std::int64_t unix_s)>;

class ServicePolicy final : public Policy {
 public:
  // `lead_s`: from an order to its serving.
  ServicePolicy(decide::autoscale::Policy policy, double lead_s, ZoneOffsets zones)
      : scaler_(std::move(policy), lead_s), zones_(std::move(zones)) {
    view_.lead_s = lead_s;
  }
  int step(const Seen& seen) override;

 private:
  decide::autoscale::Autoscaler scaler_;
  ZoneOffsets zones_;
  decide::autoscale::View view_;
};

// The widest bounds that the policy or one of its schedules has: what the world must allow.
decide::autoscale::Bounds widest_bounds(const decide::autoscale::Policy& policy);

}  // namespace hive::simulator
