// Crane's EffectiveHPA with its DSP prediction (gocrane.io, "Effective HPA" and "timeseries
// forecasting by DSP"): samples of a minute, a history of three days.
//  - periodic is what is like itself a day before (autocorrelation); only then there is a forecast;
//  - the history's spectrum: of the frequencies below one an hour the 20 strongest, the mean among
//    them, make up the signal that is carried on, plus a margin of 20 %;
//  - replicas are what the largest value of the next hour needs, or what the HPA asks for,
//  whichever
//    is more.
// The spectrum is worked out anew every hour, for those few frequencies directly.
#pragma once

#include <deque>
#include <vector>

#include "simulator/baselines/hpa.h"
#include "simulator/baselines/minutes.h"

namespace hive::simulator {

struct Wave {
  double cosine = 0;  // amplitudes
  double sine = 0;
  std::size_t cycles = 0;  // in the whole history
};

// The strongest frequencies below `highest` cycles, at most `count`; 0 cycles is the mean.
std::vector<Wave> strongest_waves(const std::deque<float>& history, std::size_t highest,
                                  std::size_t count);
// Correlation of what is `lag` apart, -1 to 1; 0 for a history that does not move.
double autocorrelation(const std::deque<float>& history, std::size_t lag);

class CraneDsp final : public Policy {
 public:
  CraneDsp(double target, double capacity)
      : target_(target), reactive_(target), minutes_(capacity) {}
  int step(const Seen& seen) override;
  bool periodic() const { return !ahead_.empty(); }

 private:
  void forecast();

  double target_;
  Hpa reactive_;
  Minutes minutes_;
  std::deque<float> history_;
  std::vector<double>
      ahead_;               // minutes after the forecast was made: largest of the hour from there
  std::size_t minute_ = 0;  // since then
};

}  // namespace hive::simulator
