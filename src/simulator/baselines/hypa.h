// A hybrid of a table and a reactive rule (after HyPA): the table holds, for each minute of the
// week, the smoothed load seen in it; replicas are what the table says for the minute `lead_s`
// ahead, or what the HPA asks for, whichever is more.
#pragma once

#include <vector>

#include "simulator/baselines/hpa.h"

namespace hive::simulator {

class Hypa final : public Policy {
 public:
  Hypa(double target, double lead_s);
  int step(const Seen& seen) override;

 private:
  double target_;
  std::int64_t lead_s_;
  Hpa reactive_;
  std::vector<double> table_;  // -1: not seen yet
  double sum_ = 0;
  int samples_ = 0;
};

}  // namespace hive::simulator
