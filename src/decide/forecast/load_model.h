// What the load will be when capacity that is ordered now can serve: its mean, and how it may
// differ.
//
// Learns online from one figure a second, needs no training, and keeps a bounded state (about
// 130 KiB in memory) that survives a restart. Loads are in any unit; the caller's is replicas.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "decide/forecast/archive.h"
#include "decide/forecast/regression.h"
#include "decide/forecast/surprise.h"

namespace hive::decide::forecast {

// Seconds of a tick: figures are taken in each second, forecasts made each tick, and in each of the
// first seconds of a jump.
inline constexpr int kTick = 3;

// What a second brought.
enum class News {
  kNone,     // the outlook is what it was
  kJump,     // the load leaves what it was: a new outlook before the tick is complete
  kTickEnd,  // a tick is complete: a new outlook, and something learned
};

struct Outlook {
  double now = 0;     // mean of the last minute, or of the seconds since the load jumped
  double mean = 0;    // expected at the horizon
  double spread = 1;  // a surprise of 1 is that far from the mean
  Surprises surprises;
  double most = 0;      // largest second of the last eight days; 0: nothing seen
  bool jumped = false;  // the load has just left what it was
};

class LoadModel {
 public:
  // `horizon_s`: from an order to the moment it serves. `phase`: models that begin together
  // complete their ticks and minutes in different seconds by it, 0 to 59.
  explicit LoadModel(double horizon_s, int phase = 0);

  // The second that ends at `now` (Unix seconds). nullopt: no signal; nothing is learned from it.
  News observe(std::int64_t now, std::optional<double> load);
  const Outlook& outlook() const { return outlook_; }
  std::int64_t seconds_seen() const { return started_; }

  // What was measured of the time to get capacity has changed. Forecasts on their way are dropped;
  // what was learned stays.
  void set_horizon(double horizon_s);
  double horizon_s() const { return static_cast<double>((horizon_ticks_ - 1) * kTick); }
  // Without the seasons: no rows of the clock, no yesterday.
  void set_seasons(bool on) { seasons_ = on; }

  template <class A>
  void fields(A& a) {
    a(means_, started_, minutes_, day_max_, day_of_max_, minute_sum_, minute_count_, noise_,
      noise_mass_, wide_slow_, wide_fast_, mass_slow_, mass_fast_, ticks_, last_, ridge_, tables_);
  }

 private:
  static constexpr std::size_t kFeatures = 8;
  using Features = Ridge<kFeatures>::Vector;
  struct Pending {
    std::int64_t tick = -1;  // that it is for
    double base = 0;
    double mean = 0;
    double spread = 1;
    Features x{};
  };

  void second(double load);
  void detect_jump();
  void learn(std::int64_t now);
  Pending predict(std::int64_t now);
  void keep_minute(std::int64_t now, double load);
  Features features(std::int64_t now, double base, double spread) const;
  double spread_of(double mean) const;
  std::optional<double> season_change(std::int64_t now, std::int64_t back, double base) const;
  std::optional<double> smooth(std::int64_t moment) const;

  int horizon_ticks_;
  bool seasons_ = true;
  // Exponential means over 2, 5, 20, 60, 240 and 900 s.
  std::vector<double> means_;
  std::int64_t started_ = 0;    // seconds seen
  std::vector<float> minutes_;  // means of the minutes of eight days; negative: unknown
  std::vector<float> day_max_;  // largest second of each of eight days
  std::int64_t day_of_max_ = -1;
  double minute_sum_ = 0;
  int minute_count_ = 0;
  double noise_ = 0;  // sums of squared differences of neighbours, and of loads
  double noise_mass_ = 0;
  double wide_slow_ = 0;  // what forecasts miss beyond that noise, squared; and squared loads
  double wide_fast_ = 0;
  double mass_slow_ = 0;
  double mass_fast_ = 0;
  std::int64_t ticks_ = 0;
  double last_ = -1;  // load of the second before
  Ridge<kFeatures> ridge_;
  SurpriseTables tables_;

  std::vector<Pending> pending_;
  std::array<double, kTick> tick_loads_{};
  int in_tick_;
  bool tick_known_;
  int minute_phase_;       // ticks
  int since_jump_ = 1000;  // seconds
  Outlook outlook_;
};

}  // namespace hive::decide::forecast
