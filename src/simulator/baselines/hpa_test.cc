#include "simulator/baselines/hpa.h"

#include <gtest/gtest.h>

#include "simulator/baselines/test_world.h"

namespace hive::simulator {
namespace {

TEST(Hpa, AsksForTheRatioRoundedUpEvery15Seconds) {
  Hpa policy(0.5);
  TestWorld world(policy, 4);
  EXPECT_EQ(world.run(14, 3), 4);
  EXPECT_EQ(world.run(1, 3), 6);  // ceil(4 * 0.75 / 0.5)
}

TEST(Hpa, DoesNothingWithinATenth) {
  Hpa policy(0.5);
  TestWorld world(policy, 10);
  EXPECT_EQ(world.run(600, 5.45), 10);
  EXPECT_EQ(world.run(600, 4.55), 10);
}

TEST(Hpa, CpuShowsNoMoreThanAllOfIt) {
  Hpa policy(0.8);
  TestWorld world(policy, 8);
  // Ten times too much still looks like 100 %: ceil(8 / 0.8).
  EXPECT_EQ(world.run(15, 80), 10);
}

TEST(Hpa, GoesUpByFourOrDoubleAtMost) {
  Hpa small(0.1);
  TestWorld one(small, 1);
  EXPECT_EQ(one.run(15, 1), 5);
  Hpa large(0.1);
  TestWorld ten(large, 10);
  EXPECT_EQ(ten.run(15, 10), 20);
}

TEST(Hpa, ComesDownOnlyToTheMostOfFiveMinutes) {
  Hpa policy(0.5);
  TestWorld world(policy, 10);
  world.run(60, 5);
  EXPECT_EQ(world.run(299, 1), 10);
  EXPECT_EQ(world.run(90, 1), 2);
}

TEST(Hpa, CountsThoseNotReadyAsIdle) {
  Hpa policy(0.5);
  TestWorld world(policy, 4);
  world.slow = true;
  EXPECT_EQ(world.run(15, 4), 8);
  // Four ready ones at 100 % and four idle ones: half on average, so nothing more.
  EXPECT_EQ(world.run(15, 4), 8);
}

TEST(Hpa, HoldsWithoutSignals) {
  Hpa policy(0.5);
  TestWorld world(policy, 4);
  world.run(60, 2);
  world.seen.known = false;
  EXPECT_EQ(world.run(900, 0), 4);
}

}  // namespace
}  // namespace hive::simulator
