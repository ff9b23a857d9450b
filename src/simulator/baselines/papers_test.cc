#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "simulator/baselines/adapt.h"
#include "simulator/baselines/conpaas.h"
#include "simulator/baselines/crane_dsp.h"
#include "simulator/baselines/foresight.h"
#include "simulator/baselines/hist.h"
#include "simulator/baselines/lcp.h"
#include "simulator/baselines/react.h"
#include "simulator/baselines/reg.h"
#include "simulator/baselines/test_world.h"
#include "simulator/testing_support.h"
#include "simulator/world.h"

namespace hive::simulator {
namespace {

constexpr double kPi = 3.14159265358979;
constexpr std::int64_t kDay = 86'400;

double day_of(std::int64_t second, double mean, double swing) {
  return mean + swing * std::sin(2 * kPi * static_cast<double>(second % kDay) / kDay);
}

TEST(React, AddsOneAMinuteAboveTheUpperThreshold) {
  React policy(0.8, 1);
  TestWorld world(policy, 2);
  EXPECT_EQ(world.run(59, 8), 2);
  EXPECT_EQ(world.run(1, 8), 3);
  EXPECT_EQ(world.run(120, 8), 5);
  EXPECT_EQ(world.run(3600, 8), 10);
}

TEST(React, TakesOneAMinuteBelowTheLowerOne) {
  React policy(0.8, 1);
  TestWorld world(policy, 10);
  EXPECT_EQ(world.run(600, 5), 10);  // 50 % is above the lower threshold of 48 %
  EXPECT_EQ(world.run(60, 4.7), 9);
  EXPECT_EQ(world.run(600, 1), 2);
  EXPECT_EQ(world.run(600, 0), 1);
}

TEST(Adapt, GoesOutWithTheRateOfTheRise) {
  Adapt policy(1, 1);
  TestWorld world(policy, 4);
  EXPECT_EQ(world.run(60, 3.5), 4);
  // Rises by 3 a minute: what is needed now, and as much again for the next minute.
  EXPECT_EQ(world.run(60, 6.5), 10);
}

TEST(Adapt, GoesInNoFasterThanTheLoadFalls) {
  Adapt policy(1, 1);
  TestWorld world(policy, 20);
  world.run(60, 20);
  EXPECT_EQ(world.run(60, 10), 20);  // two minutes make a rate
  EXPECT_EQ(world.run(60, 10), 15);  // ten in two minutes: five
  EXPECT_EQ(world.run(60, 4), 15);
  EXPECT_EQ(world.run(60, 4), 12);  // six in two minutes: three
  EXPECT_EQ(world.run(60, 4), 12);
  EXPECT_EQ(world.run(60, 4), 11);  // stands still: one
}

TEST(Hist, ProvidesForThe95thPercentileOfTheHour) {
  Hist policy(1, 1);
  TestWorld world(policy, 50);
  // Three minutes of each hour at 40 are its upper twentieth; at 20 hours only, not at others.
  const auto load_at = [](std::int64_t second) {
    const bool busy = second / 3600 % 24 == 20;
    return busy && second % 3600 < 360 ? 40.0 : 10.0;
  };
  while (world.seen.now < 3 * kDay + 20 * 3600) world.run(1, load_at(world.seen.now));
  EXPECT_NEAR(policy.predicted(), 40, 0.1);
  EXPECT_EQ(world.wanted, 40);
  while (world.seen.now < 4 * kDay + 2 * 3600) world.run(1, load_at(world.seen.now));
  EXPECT_NEAR(policy.predicted(), 10, 0.1);
}

TEST(Hist, AddsWhatTheLastHoursMissed) {
  Hist policy(1, 1);
  TestWorld world(policy, 10);
  world.run(3 * 86'400, 10);
  EXPECT_NEAR(policy.predicted(), 10, 0.1);
  world.run(3600, 16);  // 6 more than predicted, of three hours
  EXPECT_NEAR(policy.predicted(), 12, 0.1);
}

TEST(Hist, CorrectsWithinFiveMinutesBeyondATenth) {
  Hist policy(1, 1);
  TestWorld world(policy, 10);
  world.run(2 * 86'400, 10);
  EXPECT_EQ(world.run(300, 10.9), 10);
  EXPECT_EQ(world.run(240, 14), 10);
  EXPECT_EQ(world.run(60, 14), 14);
}

TEST(Reg, ExtrapolatesAParabola) {
  std::deque<double> values;
  for (int i = 0; i < 12; ++i) values.push_back(3 + 2 * i - 0.5 * i * i);
  EXPECT_NEAR(extrapolate_parabola(values), 3 + 24 - 72, 1e-4);
  EXPECT_EQ(extrapolate_parabola({7, 9}), 9);
  EXPECT_EQ(extrapolate_parabola({}), 0);
}

TEST(Reg, GoesOutAtOnceAndInOnlyWhereTheRegressionEnds) {
  Reg policy(1, 1);
  TestWorld world(policy, 5);
  world.run(600, 5);
  EXPECT_EQ(world.run(60, 12), 12);
  // A rise that has just begun to fall: the parabola still points up, and nothing goes.
  for (int i = 1; i <= 20; ++i) world.run(60, 12 + i);
  EXPECT_EQ(world.run(60, 30), 32);
  world.run(3600, 6);
  EXPECT_EQ(world.run(3600, 6), 6);
}

TEST(Conpaas, DecidesEveryTenMinutesByItsBestForecast) {
  Conpaas policy(1, 1);
  TestWorld world(policy, 10);
  EXPECT_EQ(world.run(599, 10), 10);
  // A line: the regression wins, and is right.
  while (world.seen.now < 6 * 3600) world.run(60, 10 + static_cast<double>(world.seen.now) / 600);
  EXPECT_NEAR(policy.forecast(), 10 + 36.9, 2.5);
  EXPECT_GE(world.wanted, 46);
}

TEST(Conpaas, StaysWithinAQuarterBelow) {
  Conpaas policy(1, 1);
  TestWorld world(policy, 10);
  EXPECT_EQ(world.run(7200, 8), 10);
  EXPECT_EQ(world.run(7200, 7), 8);  // by the forecast halfway down; 7 is within its quarter
}

TEST(CraneDsp, FindsTheStrongestWaves) {
  std::deque<float> history;
  for (int i = 0; i < 1440; ++i)
    history.push_back(static_cast<float>(7 + 3 * std::sin(2 * kPi * 4 * i / 1440) +
                                         std::cos(2 * kPi * 9 * i / 1440)));
  const auto waves = strongest_waves(history, 24, 3);
  ASSERT_EQ(waves.size(), 3U);
  EXPECT_EQ(waves[0].cycles, 0U);
  EXPECT_NEAR(waves[0].cosine, 7, 1e-4);
  EXPECT_EQ(waves[1].cycles, 4U);
  EXPECT_NEAR(waves[1].sine, 3, 1e-4);
  EXPECT_EQ(waves[2].cycles, 9U);
  EXPECT_NEAR(waves[2].cosine, 1, 1e-4);
}

TEST(CraneDsp, TellsWhatRepeatsFromWhatDoesNot) {
  std::deque<float> wave, flat(500, 3.0F), rising;
  for (int i = 0; i < 500; ++i) {
    wave.push_back(static_cast<float>(std::sin(2 * kPi * i / 100)));
    rising.push_back(i < 250 ? 0.0F : 1.0F);
  }
  EXPECT_NEAR(autocorrelation(wave, 100), 1, 0.01);
  EXPECT_NEAR(autocorrelation(wave, 50), -1, 0.01);
  EXPECT_EQ(autocorrelation(flat, 100), 0);
  EXPECT_LT(autocorrelation(rising, 250), 0.5);
}

TEST(CraneDsp, ProvidesForTheNextHoursMost) {
  CraneDsp policy(0.5, 1);
  TestWorld world(policy, 60);
  while (world.seen.now < 3 * kDay - 3600) world.run(60, day_of(world.seen.now, 10, 5));
  EXPECT_FALSE(policy.periodic());
  while (world.seen.now < 4 * kDay + 3600 * 4) world.run(60, day_of(world.seen.now, 10, 5));
  EXPECT_TRUE(policy.periodic());
  // Rising towards the sixth hour: what is an hour ahead, a fifth more, at half of the capacity.
  EXPECT_NEAR(world.wanted, day_of(3600 * 5, 10, 5) * 1.2 / 0.5, 1.5);
}

TEST(Lcp, WaitsUntilHavingBeenOffHasCostAStart) {
  Lcp policy(10, 90, 1);
  TestWorld world(policy, 1);
  // A second level half used at price 10: off costs 5 a second, on 1; ahead by 90 after 23 s.
  EXPECT_EQ(world.run(22, 1.5), 1);
  EXPECT_EQ(world.run(1, 1.5), 2);
}

TEST(Lcp, LetsGoAfterAStartsCostOfWaste) {
  Lcp policy(10, 90, 1);
  TestWorld world(policy, 3);
  EXPECT_EQ(world.run(89, 1), 3);
  EXPECT_EQ(world.run(1, 1), 1);
  EXPECT_EQ(world.run(3600, 0), 1);
}

// What it is shown is what comes a boot time later, and the capacity is there then.
TEST(Foresight, IsThereWhenTheLoadComes) {
  std::vector<float> loads(300, 1.0F);
  loads.resize(500, 6.0F);
  loads.resize(1000, 1.0F);
  const Load load = load_of(loads);
  Foresight policy(load, 1000, 60, 1);
  const Outcome outcome = simulate(load, {.capacity = 1, .boot_s = 60, .initial = 1}, policy);
  EXPECT_NEAR(outcome.unserved, 0, 6);
  // Five more for 200 s, a boot time before and as long of waste at most.
  EXPECT_LE(outcome.node_seconds, 1000 + 5 * (60 + 200 + 60) + 10);
}

// Its value (cost and priced loss) is within three times the optimum's on whatever comes; here, on
// the worst that is known: need that ends as soon as it has been met.
TEST(Lcp, IsWithinThreeTimesTheOptimumOnItsWorstLoad) {
  constexpr double kPrice = 10;
  constexpr double kStart = 90;
  Lcp policy(kPrice, kStart, 1);
  TestWorld world(policy, 1);
  double paid = 0;
  for (int i = 0; i < 20'000; ++i) {
    const int before = world.wanted;
    const double load = before < 2 ? 2 : 0.5;
    world.run(1, load);
    paid += before + kPrice * std::max(0.0, load - before);
    paid += kStart * std::max(0, world.wanted - before);
  }
  EXPECT_LT(paid, 3 * 2 * 20'000.0);  // two replicas all the time serve everything
}

}  // namespace
}  // namespace hive::simulator
