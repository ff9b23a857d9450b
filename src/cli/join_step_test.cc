#include "cli/join_step.h"

#include <gtest/gtest.h>

namespace hive::cli {
namespace {

TEST(JoinStepTest, ANodeOfThisSwarmThatIsOnItsWayBackNeverLeaves) {
  EXPECT_EQ(next_join_step("pending", true, Milliseconds(0)), JoinStep::kWait);
  EXPECT_EQ(next_join_step("pending", true, Milliseconds(59'999)), JoinStep::kWait);
  EXPECT_EQ(next_join_step("pending", true, Milliseconds(60'000)), JoinStep::kStuck);
  EXPECT_EQ(next_join_step("active", true, Milliseconds(0)), JoinStep::kThere);
}

TEST(JoinStepTest, AJoinThatWasCutOffIsBegunAnew) {
  EXPECT_EQ(next_join_step("pending", false, Milliseconds(9'999)), JoinStep::kWait);
  EXPECT_EQ(next_join_step("pending", false, Milliseconds(10'000)), JoinStep::kLeaveAndJoin);
}

TEST(JoinStepTest, AnotherSwarmIsLeft) {
  EXPECT_EQ(next_join_step("active", false, Milliseconds(0)), JoinStep::kLeaveAndJoin);
  EXPECT_EQ(next_join_step("error", false, Milliseconds(0)), JoinStep::kLeaveAndJoin);
  EXPECT_EQ(next_join_step("error", true, Milliseconds(0)), JoinStep::kLeaveAndJoin);
  EXPECT_EQ(next_join_step("inactive", false, Milliseconds(0)), JoinStep::kJoin);
}

TEST(JoinStepTest, WhatIsLockedIsAPersonsToUnlock) {
  EXPECT_EQ(next_join_step("locked", false, Milliseconds(60'000)), JoinStep::kLocked);
}

}  // namespace
}  // namespace hive::cli
