#include "decide/placement/exact_shrink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::decide::placement {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'000'000;

Slot slot(std::int64_t number, SlotState state = SlotState::kRunning) {
  Slot out;
  out.number = number;
  out.state = state;
  out.task_id = "task-" + std::to_string(number);
  out.name = "web." + std::to_string(number);
  out.node_id = out.node = "node-" + std::to_string(number);
  out.created_unix_ms = kNow - 60'000 + number;
  return out;
}

ShrinkLook look(std::uint64_t replicas, std::uint64_t target, std::vector<Slot> slots) {
  ShrinkLook out;
  out.now_unix_ms = kNow;
  out.replicas = replicas;
  out.target = target;
  out.slots = std::move(slots);
  return out;
}

Slot planned(std::int64_t number, std::int64_t ago_ms) {
  Slot out = slot(number, SlotState::kPlanned);
  out.created_unix_ms = kNow - ago_ms;
  return out;
}

TEST(ExactShrinkTest, StopsTheChosenAndWritesNothingYet) {
  const auto step = shrink({}, look(3, 2, {slot(1), slot(2), slot(3)}));
  ASSERT_EQ(step.chosen.size(), 1U);
  EXPECT_EQ(step.chosen[0].slot, 3);
  EXPECT_THAT(step.stop, ElementsAre("task-3"));
  EXPECT_FALSE(step.scale_to);
  EXPECT_FALSE(step.done);
}

TEST(ExactShrinkTest, ShrinksOnceTheSlotIsSeenNotRunning) {
  const auto step = shrink({{3, ""}}, look(3, 2, {slot(1), slot(2), planned(3, 100)}));
  EXPECT_EQ(step.scale_to, 2U);
  EXPECT_THAT(step.stop, IsEmpty());
  EXPECT_THAT(step.chosen, IsEmpty());
}

TEST(ExactShrinkTest, AMissedWindowIsWaitedOutAndTheNewTaskStopped) {
  auto late = planned(3, 4'000);
  EXPECT_FALSE(shrink({{3, ""}}, look(3, 2, {slot(1), slot(2), late})).scale_to);
  auto again = slot(3, SlotState::kStarting);
  again.task_id = "task-3b";
  const auto step = shrink({{3, ""}}, look(3, 2, {slot(1), slot(2), again}));
  EXPECT_FALSE(step.scale_to);
  EXPECT_THAT(step.stop, ElementsAre("task-3b"));
}

TEST(ExactShrinkTest, SeveralAtOnceEachInItsOwnWindow) {
  const std::vector<Victim> victims{{3, ""}, {4, ""}};
  const auto step = shrink(victims, look(4, 2, {slot(1), slot(2), slot(3), planned(4, 100)}));
  EXPECT_EQ(step.scale_to, 3U);
  EXPECT_THAT(step.stop, ElementsAre("task-3"));
  const auto both =
      shrink(victims, look(4, 2, {slot(1), slot(2), planned(3, 50), planned(4, 100)}));
  EXPECT_EQ(both.scale_to, 2U);
}

TEST(ExactShrinkTest, AnOldLookAsksForTheSameNumberAgain) {
  // The shrink was written, Swarm has not removed the slot yet.
  const auto step = shrink({{3, ""}}, look(2, 2, {slot(1), slot(2), planned(3, 100)}));
  EXPECT_FALSE(step.scale_to);
  EXPECT_FALSE(step.done);
  EXPECT_TRUE(shrink({{3, ""}}, look(2, 2, {slot(1), slot(2)})).done);
}

TEST(ExactShrinkTest, WithRestartConditionNoneTheSlotIsSimplyGone) {
  const auto step = shrink({{3, ""}}, look(3, 2, {slot(1), slot(2)}));
  EXPECT_EQ(step.scale_to, 2U);
  EXPECT_THAT(step.stop, IsEmpty());
}

TEST(ExactShrinkTest, WhatHasNoContainerIsShrunkAwayWithoutAStop) {
  const auto step = shrink({}, look(3, 2, {slot(1), slot(2, SlotState::kWaiting), slot(3)}));
  EXPECT_EQ(step.scale_to, 2U);
  EXPECT_THAT(step.stop, IsEmpty());
  ASSERT_EQ(step.chosen.size(), 1U);
  EXPECT_EQ(step.chosen[0].slot, 2);
}

TEST(ExactShrinkTest, ToZero) {
  const auto step = shrink({}, look(2, 0, {slot(1), slot(2)}));
  EXPECT_THAT(step.stop, ElementsAre("task-1", "task-2"));
  EXPECT_EQ(shrink(step.victims, look(2, 0, {planned(1, 10), planned(2, 10)})).scale_to, 0U);
  EXPECT_TRUE(shrink(step.victims, look(0, 0, {})).done);
}

TEST(ExactShrinkTest, OnlyAmongThoseNamed) {
  auto narrow = look(4, 3, {slot(1), slot(2), slot(3), slot(4)});
  narrow.among = {2};
  EXPECT_THAT(shrink({}, narrow).stop, ElementsAre("task-2"));
  narrow.target = 1;
  EXPECT_THAT(shrink({}, narrow).stop, ElementsAre("task-2"));
}

TEST(ExactShrinkTest, AChosenOneThatIsNoLongerNeededLives) {
  // Swarm took another one: two were chosen, one is enough now.
  auto stopping = slot(3);
  stopping.facts.leaving = true;
  const auto step = shrink({{2, ""}, {3, ""}}, look(3, 2, {slot(1), slot(2), stopping}));
  EXPECT_THAT(step.stop, ElementsAre("task-3"));
  ASSERT_EQ(step.victims.size(), 1U);
}

TEST(ExactShrinkTest, WhereAnotherNodeIsFullerTheSlotRunsAgainAndSwarmTakes) {
  auto slots = std::vector{slot(1), slot(2), planned(3, 100)};
  slots[1].node_id = slots[0].node_id;  // two there: Swarm would take one of them
  const auto step = shrink({{3, ""}}, look(3, 2, slots));
  EXPECT_TRUE(step.uneven);
  EXPECT_FALSE(step.scale_to);
  auto next = look(3, 2, slots);
  next.uneven = true;
  EXPECT_FALSE(shrink({}, next).scale_to) << "two serve, and one of them would go";
  next.slots[2] = slot(3);
  EXPECT_EQ(shrink({}, next).scale_to, 2U);
  next.leaving = {3};
  EXPECT_FALSE(shrink({}, next).scale_to) << "it is where it must not be";
  EXPECT_THAT(shrink({}, next).stop, ElementsAre("task-3"));
  next = look(2, 2, {slot(1), slot(3)});
  next.uneven = true;
  EXPECT_TRUE(shrink({}, next).done);
}

TEST(ExactShrinkTest, TheShrinkWaitsForTheOneThatStillStopsOnTheFullestNode) {
  const std::vector<Victim> victims{{3, ""}, {4, ""}};
  Slot second = slot(4);
  second.node_id = second.node = "node-1";
  const auto early = shrink(victims, look(4, 2, {slot(1), slot(2), planned(3, 100), second}));
  EXPECT_FALSE(early.scale_to);
  EXPECT_FALSE(early.uneven);
  EXPECT_THAT(early.stop, ElementsAre("task-4"));
  Slot stopped = planned(4, 50);
  stopped.node_id = stopped.node = "node-1";
  const auto both = shrink(victims, look(4, 2, {slot(1), slot(2), planned(3, 400), stopped}));
  EXPECT_EQ(both.scale_to, 2U);
  EXPECT_FALSE(both.uneven);
}

TEST(ExactShrinkTest, ARemovalThatSwarmForgotIsAskedForAgain) {
  auto now = look(2, 2, {slot(1), slot(2), planned(3, 100)});
  now.surplus_ms = kForgottenMs - 1;
  EXPECT_FALSE(shrink({{3, ""}}, now).scale_to) << "it may still be about to";
  now.surplus_ms = kForgottenMs;
  EXPECT_EQ(shrink({{3, ""}}, now).scale_to, 2U);
  // Its replacement runs already: it is stopped first.
  auto late = look(2, 2, {slot(1), slot(2), slot(3)});
  late.surplus_ms = kForgottenMs;
  const auto step = shrink({{3, ""}}, late);
  EXPECT_FALSE(step.scale_to);
  EXPECT_THAT(step.stop, ElementsAre("task-3"));
  EXPECT_FALSE(step.done);
}

TEST(ExactShrinkTest, WhereSwarmTakesAForgottenRemovalIsAskedForAgainToo) {
  auto now = look(2, 2, {slot(1), slot(2), slot(3)});
  now.uneven = true;
  EXPECT_FALSE(shrink({}, now).scale_to);
  now.surplus_ms = kForgottenMs;
  EXPECT_EQ(shrink({}, now).scale_to, 2U);
}

TEST(ExactShrinkTest, WhatHasNoNodeGoesBeforeAll) {
  auto slots = std::vector{slot(1), slot(2), planned(3, kPlacingMs)};
  slots[1].node_id = slots[0].node_id;
  slots[2].node_id.clear();
  EXPECT_EQ(shrink({{3, ""}}, look(3, 2, slots)).scale_to, 2U);
  slots[2].created_unix_ms += 1;
  const auto step = shrink({{3, ""}}, look(3, 2, slots));
  EXPECT_FALSE(step.scale_to)
      << "Swarm finds a node for it just now, perhaps one where it stands last";
  EXPECT_FALSE(step.uneven);
  EXPECT_TRUE(step.look_again);
}

TEST(ExactShrinkTest, NothingToDo) {
  EXPECT_TRUE(shrink({}, look(2, 2, {slot(1), slot(2)})).done);
  EXPECT_FALSE(shrink({}, look(2, 2, {slot(1), slot(2)})).scale_to);
  EXPECT_TRUE(shrink({}, look(1, 3, {slot(1)})).done) << "growing is not its business";
}

}  // namespace
}  // namespace hive::decide::placement
