// How far forecasts were off, as distributions: one of all times, and what differs from it by the
// minute of the hour, by five minutes of the day, and by the height of the load when the forecast
// was made (rows.h). What keeps to the clock (jobs, newsletters, bursts at the half hour) shows in
// its own row; that a load at its peak rises no further, and one at rest may, shows by its height.
//
// A surprise is (load - forecast) / spread, kept in bins that are fine around 0
// and widen outwards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "decide/forecast/rows.h"

namespace hive::decide::forecast {

// Shares of each bin, and what follows from them.
struct Surprises {
  std::array<float, kBins> share{};
};

// What is known of a forecast beside its figures.
struct Occasion {
  std::int64_t moment = 0;  // Unix second that it is for
  double load = 0;          // when it was made, in replicas
};

class SurpriseTables {
 public:
  // `lead_s`: from a forecast to its moment; a burst surprises for as long.
  explicit SurpriseTables(double lead_s = 90);
  void set_lead(double lead_s) { lead_s_ = lead_s; }
  // A surprise on that occasion, with the share of a tick that it stands for.
  void learn(const Occasion& occasion, double surprise, double weight);
  // Once a tick, before learn(): which of the tables told best what came.
  void judge(const Occasion& occasion, double surprise);
  // Once a minute.
  void decay_minute();
  // What to expect then: shares that add up to 1.
  void expect(const Occasion& occasion, Surprises& out) const;

  // The middle of each bin.
  static const std::array<double, kBins>& centres();
  static std::size_t bin_of(double surprise);

  template <class A>
  void fields(A& a) {
    a(all_, long_, minutes_, days_, heights_, last_minute_, last_part_);
  }

 private:
  void count_rare();

  double lead_s_;
  std::vector<float> all_;   // kBins
  std::vector<float> long_;  // likewise, remembered for weeks
  Rows minutes_;
  Rows days_;
  Rows heights_;
  std::array<float, kBins> tail_{};  // count_rare(): shares; derived, not kept
  std::int64_t last_minute_ = -1;
  std::int64_t last_part_ = -1;
};

}  // namespace hive::decide::forecast
