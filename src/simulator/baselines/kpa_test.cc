#include "simulator/baselines/kpa.h"

#include <gtest/gtest.h>

#include "simulator/baselines/test_world.h"

namespace hive::simulator {
namespace {

TEST(Kpa, FollowsTheMeanOfAMinuteEveryTwoSeconds) {
  Kpa policy(0.7);
  TestWorld world(policy, 10);
  EXPECT_EQ(world.run(1, 10.5), 10);
  EXPECT_EQ(world.run(1, 10.5), 15);
  EXPECT_EQ(world.run(60, 10.5), 15);
}

TEST(Kpa, PanicsAtTwiceWhatIsReadyAndHolds) {
  Kpa policy(0.7);
  TestWorld world(policy, 10);
  world.slow = true;
  world.run(120, 7);
  ASSERT_FALSE(policy.panics());
  // Six seconds of 14 fill the panic window: ceil(14 / 0.7) is twice ten.
  EXPECT_EQ(world.run(6, 14), 20);
  EXPECT_TRUE(policy.panics());
  // It does not scale in for the 60 s in which it panics.
  EXPECT_EQ(world.run(58, 1), 20);
  EXPECT_TRUE(policy.panics());
  world.run(8, 1);
  EXPECT_FALSE(policy.panics());
  EXPECT_LT(world.wanted, 20);
}

TEST(Kpa, DoesNotPanicBelowTwice) {
  Kpa policy(0.7);
  TestWorld world(policy, 10);
  world.slow = true;
  world.run(120, 7);
  world.run(60, 13);
  EXPECT_FALSE(policy.panics());
}

TEST(Kpa, ComesDownByHalfAtMost) {
  Kpa policy(0.7);
  TestWorld world(policy, 40);
  EXPECT_EQ(world.run(2, 1), 20);
  EXPECT_EQ(world.run(2, 1), 10);
}

}  // namespace
}  // namespace hive::simulator
