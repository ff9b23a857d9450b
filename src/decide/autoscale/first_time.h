// A height that a load reaches for the first time, far above all before, it is likely to reach
// again within minutes, and to pass: flashes come in groups, grow in proportion to what they are,
// and no table of the past knows of this one. Three times what it needed is held for ten minutes.
// Since it was the first time in eight days, that costs little.
#pragma once

namespace hive::decide::autoscale {

class FirstTime {
 public:
  static constexpr double kFar = 1.3;       // times the most that was known
  static constexpr double kGrows = 3;       // times what was seen of it
  static constexpr double kHold_s = 600;    // since it was last so far above
  static constexpr double kKnown_s = 300;   // a height becomes known with that time constant
  static constexpr double kSettle_s = 300;  // until then everything is the first time

  // `seconds` have passed, `most` was the largest load in them, `ever` that of eight days with
  // them. Returns held().
  double update(double seconds, double most, double ever);
  // The load to hold capacity for; 0: none.
  double held() const { return held_; }

 private:
  double seen_s_ = 0;
  double known_ = 0;
  double held_ = 0;
  double left_s_ = 0;
};

}  // namespace hive::decide::autoscale
