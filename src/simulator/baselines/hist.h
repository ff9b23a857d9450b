// Hist (Urgaonkar, Shenoy, Chandra, Goyal, Wood, "Agile dynamic provisioning of multi-tier Internet
// applications", TAAS 2008).
//  - predictive, each hour: a histogram for each hour of the day of the loads seen in it (here the
//    minutes of the last seven days); its 95th percentile, plus the mean of what the last three
//    hours' busiest minutes had above their predictions;
//  - reactive, every five minutes: when the load is more than 10 % above what was provided for,
//  what
//    it needs, until the hour ends.
// An hour of which nothing is known is provided for as the last one was used.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "simulator/baselines/minutes.h"
#include "simulator/policy.h"

namespace hive::simulator {

class Hist final : public Policy {
 public:
  Hist(double target, double capacity) : target_(target), minutes_(capacity) {}
  int step(const Seen& seen) override;
  double predicted() const { return predicted_; }  // replicas' worth of load

 private:
  void next_hour(std::size_t hour);

  double target_;
  Minutes minutes_;
  std::array<std::deque<float>, 24> seen_;  // loads of minutes, oldest first
  std::deque<double> missed_;               // of the last hours
  double predicted_ = 0;
  double busiest_ = 0;  // minute of this hour
  double five_ = 0;     // busiest of the last five minutes
  int wanted_ = 0;
};

}  // namespace hive::simulator
