// How far forecasts were off, as distributions: one of all times, one for each minute of the hour,
// one for each five minutes of the day. What keeps to the clock (jobs, newsletters, bursts at the
// half hour) shows in its own row; rows that have seen little lean on the one of all times.
//
// A surprise is (load - forecast) / spread, kept in bins that are fine around 0 and widen outwards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hive::decide::forecast {

inline constexpr std::size_t kBins = 64;

// Shares of each bin, and what follows from them.
struct Surprises {
  std::array<float, kBins> share{};
};

class SurpriseTables {
 public:
  SurpriseTables();
  // A surprise at that Unix second, with the share of a tick that it stands for.
  void learn(std::int64_t moment, double surprise, double weight);
  // Once a minute.
  void decay_minute();
  // What to expect at that moment: shares that add up to 1.
  void expect(std::int64_t moment, Surprises& out) const;

  // The middle of each bin.
  static const std::array<double, kBins>& centres();
  static std::size_t bin_of(double surprise);

  template <class A>
  void fields(A& a) {
    a(all_, minutes_, minute_weight_, days_, day_weight_, last_minute_, last_part_);
  }

 private:
  std::vector<float> all_;            // kBins
  std::vector<float> minutes_;        // 60 rows
  std::vector<float> minute_weight_;  // visits of each row, decayed
  std::vector<float> days_;           // 288 rows
  std::vector<float> day_weight_;
  std::int64_t last_minute_ = -1;
  std::int64_t last_part_ = -1;
};

}  // namespace hive::decide::forecast
