#include <gtest/gtest.h>

#include <cmath>

#include "simulator/baselines/autopilot.h"
#include "simulator/baselines/fixed.h"
#include "simulator/baselines/holt_winters.h"
#include "simulator/baselines/hypa.h"
#include "simulator/baselines/nomad.h"
#include "simulator/baselines/test_world.h"
#include "simulator/testing_support.h"

namespace hive::simulator {
namespace {

TEST(Nomad, ActsEveryTenSecondsThenRestsForFiveMinutes) {
  Nomad policy(0.5);
  TestWorld world(policy, 4);
  EXPECT_EQ(world.run(9, 3), 4);
  EXPECT_EQ(world.run(1, 3), 6);
  EXPECT_EQ(world.run(290, 6), 6);
  EXPECT_EQ(world.run(20, 6), 12);
}

TEST(Nomad, DoesNothingWithinAHundredth) {
  Nomad policy(0.5);
  TestWorld world(policy, 100);
  EXPECT_EQ(world.run(600, 50.4), 100);
  EXPECT_GT(world.run(60, 51), 100);
}

TEST(Autopilot, TakesTheNinetiethPercentileAndAMargin) {
  Autopilot policy;
  TestWorld world(policy, 40);
  world.slow = true;
  // A tenth of the minutes at 20 would be the 90th percentile itself; a twentieth is not.
  for (int i = 0; i < 50; ++i) {
    world.run(60 * 19, 10);
    world.run(60, 20);
  }
  EXPECT_NEAR(world.wanted, std::ceil(10 * 1.15), 1);
  for (int i = 0; i < 200; ++i) {
    world.run(60 * 8, 10);
    world.run(60 * 2, 20);
  }
  EXPECT_NEAR(world.wanted, std::ceil(20 * 1.15), 2);
}

TEST(Autopilot, ForgetsByHalfInADay) {
  Autopilot policy;
  TestWorld world(policy, 40);
  world.slow = true;
  world.run(86'400, 20);
  // Of a day's weight a quarter is left after two days, a sixteenth after four.
  world.run(86'400 * 2, 5);
  EXPECT_GE(world.wanted, 20);
  world.run(86'400 * 2, 5);
  EXPECT_LE(world.wanted, 7);
}

TEST(Hypa, KnowsTheMinuteOfTheWeekAhead) {
  Hypa policy(0.5, 120);
  TestWorld world(policy, 40);
  constexpr int kWeek = 7 * 86'400;
  const auto load_at = [](std::int64_t second) {
    const auto of_week = second % kWeek;
    return of_week >= 200'000 && of_week < 203'600 ? 15.0 : 1.0;
  };
  while (world.seen.now < kWeek + 199'000) world.run(1, load_at(world.seen.now));
  EXPECT_LT(world.wanted, 10);
  while (world.seen.now < kWeek + 199'980) world.run(1, load_at(world.seen.now));
  EXPECT_EQ(world.wanted, 30);
}

TEST(HoltWinters, FollowsTheSeasonAndTheTrend) {
  HoltWinters policy(0.5, 600);
  TestWorld world(policy, 100);
  const auto load_at = [](std::int64_t second) {
    return 10 + 5 * std::sin(2 * 3.14159265 * static_cast<double>(second % 86'400) / 86'400);
  };
  while (world.seen.now < 3 * 86'400) world.run(60, load_at(world.seen.now));
  for (int i = 0; i < 24; ++i) {
    for (int m = 0; m < 60; ++m) world.run(60, load_at(world.seen.now));
    EXPECT_NEAR(policy.forecast(), load_at(world.seen.now + 600), 0.3);
  }
}

TEST(Fixed, PeakAndMeanAreThoseOfTheLoad) {
  const Load load = load_of({10, 20, 45, 5});
  EXPECT_EQ(peak_replicas(load, 10), 5);
  EXPECT_EQ(mean_replicas(load, 10), 2);
  EXPECT_EQ(Fixed(7).step({}), 7);
}

}  // namespace
}  // namespace hive::simulator
