// HashiCorp's Nomad Autoscaler with the target-value strategy (developer.hashicorp.com,
// "Autoscaling plugins: target value"): every 10 s, ceil(count * metric / target) with the last
// minute's average CPU, nothing within 1 %, and nothing for 5 minutes after an action.
#pragma once

#include "simulator/baselines/window.h"
#include "simulator/policy.h"

namespace hive::simulator {

class Nomad final : public Policy {
 public:
  explicit Nomad(double target = 0.7) : target_(target) {}
  int step(const Seen& seen) override;

 private:
  double target_;
  MeanWindow usage_{60};
  std::int64_t seconds_ = 0;
  std::int64_t quiet_until_ = 0;
  int wanted_ = 0;
};

}  // namespace hive::simulator
