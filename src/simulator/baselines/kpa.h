// Knative's pod autoscaler on concurrency, with its documented defaults (knative.dev,
// "Autoscaling", config-autoscaler):
//  - every 2 s, from the mean concurrency of the last 60 s (stable) and 6 s (panic);
//  - desired = ceil(concurrency / (one replica's concurrency * target utilisation of 70 %));
//  - panic when what the panic window asks for is 200 % of the ready replicas or more; in panic it
//    never scales in, and it ends when that has not been so for 60 s;
//  - at most x1000 up and half down from the ready replicas at a time.
#pragma once

#include "simulator/baselines/window.h"
#include "simulator/policy.h"

namespace hive::simulator {

class Kpa final : public Policy {
 public:
  explicit Kpa(double target = 0.7) : target_(target) {}
  int step(const Seen& seen) override;
  bool panics() const { return panic_until_ > 0; }

 private:
  double target_;
  MeanWindow stable_{60};
  MeanWindow panic_{6};
  std::int64_t seconds_ = 0;
  std::int64_t panic_until_ = 0;  // 0: no panic
  int most_in_panic_ = 0;
  int wanted_ = 0;
};

}  // namespace hive::simulator
