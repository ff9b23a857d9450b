// How far forecasts were off, as distributions: one of all times, one for each
// minute of the hour, one for each five minutes of the day. What keeps to the
// clock (jobs, newsletters, bursts at the half hour) shows in its own row. Rows
// that have seen little lean on the one of all times, and, the more the clock
// tells, on how many of the rows have seen such a thing at all.
//
// A surprise is (load - forecast) / spread, kept in bins that are fine around 0
// and widen outwards.
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
  // `lead_s`: from a forecast to its moment; a burst surprises for as long.
  explicit SurpriseTables(double lead_s = 90);
  void set_lead(double lead_s) { lead_s_ = lead_s; }
  // A surprise at that Unix second, with the share of a tick that it stands
  // for.
  void learn(std::int64_t moment, double surprise, double weight);
  // Once a tick, before learn(): which of the tables told best what came.
  void judge(std::int64_t moment, double surprise);
  // Once a minute.
  void decay_minute();
  // What to expect at that moment: shares that add up to 1.
  void expect(std::int64_t moment, Surprises& out) const;

  // The middle of each bin.
  static const std::array<double, kBins>& centres();
  static std::size_t bin_of(double surprise);

  template <class A>
  void fields(A& a) {
    a(all_, long_, minute_trust_, day_trust_, minutes_, minute_weight_, days_, day_weight_,
      last_minute_, last_part_);
  }

 private:
  // The parts of a mixture at a moment: factors of the tables' bins.
  struct Mix {
    std::size_t minute = 0, day = 0;
    double of_all = 0, of_rows = 0, of_minute = 0, of_day = 0;
    double all = 0;  // of the table of all times where it stands alone
  };
  Mix mix_at(std::int64_t moment) const;
  void count_rows();
  void count_rare();
  static void weigh(double& trust, double row, double visits, double all);

  double lead_s_;
  std::vector<float> all_;     // kBins
  std::vector<float> long_;    // likewise, remembered for weeks
  double minute_trust_ = 0.8;  // that its rows tell more than all times alone
  double day_trust_ = 0.8;
  std::vector<float> minutes_;        // 60 rows
  std::vector<float> minute_weight_;  // visits of each row, decayed
  std::vector<float> days_;           // 288 rows
  std::vector<float> day_weight_;
  std::array<float, kBins> tail_{};  // count_rare(): shares; derived, not kept
  std::array<float, kBins> rows_{};  // count_rows(): shares; derived, not kept
  double rows_trust_ = 0;
  std::int64_t last_minute_ = -1;
  std::int64_t last_part_ = -1;
};

}  // namespace hive::decide::forecast
