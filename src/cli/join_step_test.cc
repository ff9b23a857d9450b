#include "cli/join_step.h"

#include <gtest/gtest.h>

namespace hive::cli {
namespace {

TEST(JoinStepTest, AManagerOfThisSwarmThatIsOnItsWayBackNeverLeaves) {
  EXPECT_EQ(next_join_step("pending", true, true, Milliseconds(0)), JoinStep::kWait);
  EXPECT_EQ(next_join_step("pending", true, true, Milliseconds(59'999)), JoinStep::kWait);
  EXPECT_EQ(next_join_step("pending", true, true, Milliseconds(60'000)), JoinStep::kStuck);
  EXPECT_EQ(next_join_step("active", true, true, Milliseconds(0)), JoinStep::kThere);
}

TEST(JoinStepTest, AWorkerThatDoesNotComeBackBeginsAnew) {
  EXPECT_EQ(next_join_step("pending", true, false, Milliseconds(59'999)), JoinStep::kWait);
  EXPECT_EQ(next_join_step("pending", true, false, Milliseconds(60'000)), JoinStep::kLeaveAndJoin);
}

TEST(JoinStepTest, AJoinThatWasCutOffIsBegunAnew) {
  EXPECT_EQ(next_join_step("pending", false, true, Milliseconds(9'999)), JoinStep::kWait);
  EXPECT_EQ(next_join_step("pending", false, true, Milliseconds(10'000)), JoinStep::kLeaveAndJoin);
}

TEST(JoinStepTest, AnotherSwarmIsLeft) {
  EXPECT_EQ(next_join_step("active", false, true, Milliseconds(0)), JoinStep::kLeaveAndJoin);
  EXPECT_EQ(next_join_step("error", false, true, Milliseconds(0)), JoinStep::kLeaveAndJoin);
  EXPECT_EQ(next_join_step("error", true, true, Milliseconds(0)), JoinStep::kLeaveAndJoin);
  EXPECT_EQ(next_join_step("inactive", false, true, Milliseconds(0)), JoinStep::kJoin);
}

TEST(JoinStepTest, WhatIsLockedIsAPersonsToUnlock) {
  EXPECT_EQ(next_join_step("locked", false, true, Milliseconds(60'000)), JoinStep::kLocked);
}

}  // namespace
}  // namespace hive::cli
