#include <gtest/gtest.h>

#include "simulator/baselines/aws_predictive.h"
#include "simulator/baselines/aws_target_tracking.h"
#include "simulator/baselines/test_world.h"

namespace hive::simulator {
namespace {

TEST(AwsTargetTracking, ScalesOutAfterThreeMinutesAbove) {
  AwsTargetTracking policy(0.5);
  TestWorld world(policy, 4);
  EXPECT_EQ(world.run(179, 3), 4);
  EXPECT_EQ(world.run(1, 3), 6);
}

TEST(AwsTargetTracking, AMinuteBelowBeginsAnew) {
  AwsTargetTracking policy(0.5);
  TestWorld world(policy, 4);
  world.run(120, 3);
  world.run(60, 1.9);
  EXPECT_EQ(world.run(120, 3), 4);
  EXPECT_EQ(world.run(60, 3), 6);
}

TEST(AwsTargetTracking, ScalesInAfterFifteenMinutesBelowNinetyPercent) {
  AwsTargetTracking policy(0.5);
  TestWorld world(policy, 10);
  EXPECT_EQ(world.run(1800, 4.6), 10);  // above 90 % of the target
  EXPECT_EQ(world.run(899, 2), 10);
  EXPECT_EQ(world.run(1, 2), 4);
}

TEST(AwsTargetTracking, RoundsSoThatTheTargetIsNotPassed) {
  AwsTargetTracking policy(0.5);
  TestWorld world(policy, 10);
  EXPECT_EQ(world.run(900, 2.1), 5);
}

TEST(AwsTargetTracking, WaitsFiveMinutesBetweenScalingsIn) {
  AwsTargetTracking policy(0.5);
  TestWorld world(policy, 10);
  world.run(900, 3);
  ASSERT_EQ(world.wanted, 6);
  EXPECT_EQ(world.run(240, 1), 6);
  EXPECT_EQ(world.run(60, 1), 2);
}

TEST(AwsTargetTracking, WarmingInstancesCountAsOnTheirWay) {
  AwsTargetTracking policy(0.5);
  TestWorld world(policy, 4);
  world.slow = true;
  EXPECT_EQ(world.run(240, 4), 8);
  EXPECT_EQ(world.run(600, 4), 8);  // the four that serve still ask for eight, and no more
}

TEST(AwsPredictive, NeedsADayAndThenIsReadyFiveMinutesBefore) {
  AwsPredictive policy(0.5);
  TestWorld world(policy, 4);
  // Each day: hour 12 has a load of 6, the others of 1.
  const auto hours = [&](int from, int to) {
    for (int hour = from; hour < to; ++hour) world.run(3600, hour % 24 == 12 ? 6 : 1);
  };
  hours(0, 24 + 11);
  EXPECT_LE(world.wanted, 4);
  world.run(3600 - 301, 1);
  EXPECT_LE(world.wanted, 4);
  world.run(1, 1);
  EXPECT_GE(world.wanted, 10);  // what was seen of yesterday's hour, at 50 %
}

TEST(AwsPredictive, OnlyScalesOut) {
  AwsPredictive policy(0.5);
  TestWorld world(policy, 4);
  for (int hour = 0; hour < 30; ++hour) world.run(3600, 1);
  // Far more than the forecast: target tracking goes on as it would alone.
  EXPECT_GE(world.run(1200, 20), 20);
}

}  // namespace
}  // namespace hive::simulator
