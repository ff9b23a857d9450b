// Kubernetes HorizontalPodAutoscaler v2 on CPU, with its documented defaults (kubernetes.io,
// "Horizontal Pod Autoscaling", algorithm details and configurable scaling behaviour):
//  - every 15 s: desired = ceil(replicas * utilisation / target); nothing within a tolerance of
//  0.1;
//  - replicas that are not ready count as idle when scaling out, and cannot turn a decision round;
//  - out: at most the larger of +4 and +100 % in 15 s, at once; in: the largest recommendation of
//  the
//    last 300 s;
//  - CPU is what metrics-server averages, 30 s here, and cannot show more than 100 %.
#pragma once

#include "simulator/baselines/window.h"
#include "simulator/policy.h"

namespace hive::simulator {

class Hpa final : public Policy {
 public:
  // Target utilisation, 0 to 1; autoscaling/v2 takes 80 % when no metric is given.
  explicit Hpa(double target = 0.8) : target_(target) {}
  int step(const Seen& seen) override;

 private:
  int recommend(int ready, int current) const;

  double target_;
  MeanWindow usage_{30};
  MaxWindow recent_{300};
  std::int64_t seconds_ = 0;
  int wanted_ = 0;
};

}  // namespace hive::simulator
