#include "decide/autoscale/first_time.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hive::decide::autoscale {
namespace {

struct Days {
  double pass(int seconds, double load) {
    double held = 0;
    for (int i = 0; i < seconds; i += 3) {
      ever = std::max(ever, load);
      held = first.update(3, load, ever);
    }
    return held;
  }
  FirstTime first;
  double ever = 0;
};

TEST(FirstTime, ThriceAFlashIsHeldForTenMinutesAfterItsEnd) {
  Days days;
  days.pass(3600, 2);
  EXPECT_EQ(days.pass(60, 50), 150);
  EXPECT_EQ(days.pass(570, 2), 150);
  EXPECT_EQ(days.pass(60, 2), 0);
}

// The first wave of a group is seldom its highest.
TEST(FirstTime, AHigherSecondWaveIsMetByWhatTheFirstOneLeft) {
  Days days;
  days.pass(3600, 2);
  days.pass(60, 11);
  EXPECT_EQ(days.pass(400, 2), 33);
  EXPECT_EQ(days.pass(3, 50), 150);
}

TEST(FirstTime, ASecondOneIsNotTheFirst) {
  Days days;
  days.pass(3600, 2);
  days.pass(60, 50);
  days.pass(3600, 2);
  EXPECT_EQ(days.pass(60, 50), 0);
}

// A morning's rise sets a record each minute, and none is far above what is known.
TEST(FirstTime, ASlowRiseIsNone) {
  Days days;
  double load = 2;
  for (int minute = 0; minute < 120; ++minute, load *= 1.02) EXPECT_EQ(days.pass(60, load), 0);
}

TEST(FirstTime, AtTheBeginningNothingIsHeld) {
  Days days;
  EXPECT_EQ(days.pass(60, 1), 0);
  EXPECT_EQ(days.pass(200, 50), 0);
}

}  // namespace
}  // namespace hive::decide::autoscale
