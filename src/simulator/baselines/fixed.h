// A number of replicas that never changes: what a service without an autoscaler has.
#pragma once

#include "simulator/load.h"
#include "simulator/policy.h"

namespace hive::simulator {

class Fixed final : public Policy {
 public:
  explicit Fixed(int replicas) : replicas_(replicas) {}
  int step(const Seen&) override { return replicas_; }

 private:
  int replicas_;
};

// Replicas for the busiest second, and for the mean load, known in hindsight.
int peak_replicas(const Load& load, double capacity);
int mean_replicas(const Load& load, double capacity);

}  // namespace hive::simulator
