#include "decide/placement/victims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace hive::decide::placement {
namespace {

using testing::HasSubstr;

Slot slot(std::int64_t number, const std::string& node,
          std::optional<std::uint32_t> in_flight = 0) {
  Slot out;
  out.number = number;
  out.state = SlotState::kRunning;
  out.task_id = "task-" + std::to_string(number);
  out.name = "web." + std::to_string(number);
  out.node_id = out.node = node;
  out.created_unix_ms = 1'000;
  out.facts.in_flight = in_flight;
  return out;
}

Victim first(const std::vector<Slot>& slots) { return choose_victims(slots, 1).at(0); }

TEST(VictimsTest, WhatDoesNotRunGoesFirst) {
  auto slots = std::vector{slot(1, "a"), slot(2, "b"), slot(3, "c")};
  slots[1].state = SlotState::kStarting;
  slots[2].node_leaves = true;
  EXPECT_EQ(first(slots).slot, 2);
  EXPECT_EQ(first(slots).why, "web.2 on b: it does not run");
}

TEST(VictimsTest, ThenWhatIsNotHealthy) {
  auto slots = std::vector{slot(1, "a"), slot(2, "b"), slot(3, "c")};
  slots[0].facts.healthy = false;
  slots[2].node_leaves = true;
  EXPECT_EQ(first(slots).why, "web.1 on a: it is not healthy");
}

TEST(VictimsTest, ThenWhatIsOnANodeBeingEmptied) {
  auto slots = std::vector{slot(1, "a", 9), slot(2, "b", 0), slot(3, "c", 0)};
  slots[0].node_leaves = true;
  EXPECT_EQ(first(slots).why, "web.1 on a: its node is being emptied");
}

TEST(VictimsTest, ThenTheLeastLoaded) {
  const auto slots = std::vector{slot(1, "a", 9), slot(2, "b", 30), slot(3, "c", 2)};
  EXPECT_EQ(first(slots).why, "web.3 on c: it has few requests in flight (2)");
}

TEST(VictimsTest, TheFullestNodeComesBeforeTheLoad) {
  const auto slots = std::vector{slot(1, "a", 9), slot(2, "a", 30), slot(3, "c", 0)};
  EXPECT_EQ(first(slots).slot, 1);
  EXPECT_THAT(first(slots).why, HasSubstr("the most tasks of the service (2)"));
}

TEST(VictimsTest, LoadsWithinAFactorOfTwoAreEqual) {
  const auto slots = std::vector{slot(1, "a", 5), slot(2, "b", 7), slot(3, "c", 4)};
  EXPECT_THAT(first(slots).why, HasSubstr("highest number of equals"));
}

TEST(VictimsTest, LoadsCountOnlyWhenAllAreKnown) {
  const auto slots = std::vector{slot(1, "a", 0), slot(2, "b", std::nullopt), slot(3, "c", 90)};
  EXPECT_EQ(first(slots).slot, 3);
}

TEST(VictimsTest, TheRestStaysSpread) {
  const auto slots = std::vector{slot(1, "a"), slot(2, "a"), slot(3, "a"),
                                 slot(4, "b"), slot(5, "b"), slot(6, "c")};
  std::map<std::string, int> left{{"a", 3}, {"b", 2}, {"c", 1}};
  for (const auto& victim : choose_victims(slots, 3))
    --left[slots[static_cast<std::size_t>(victim.slot - 1)].node];
  EXPECT_EQ(left, (std::map<std::string, int>{{"a", 1}, {"b", 1}, {"c", 1}}));
}

TEST(VictimsTest, TheNewestOfEqualsThenTheHighestNumber) {
  auto slots = std::vector{slot(1, "a"), slot(2, "b"), slot(3, "c")};
  slots[0].created_unix_ms = 2'000;
  EXPECT_EQ(first(slots).why, "web.1 on a: it is the newest of equals");
  slots[0].created_unix_ms = 1'000;
  EXPECT_EQ(first(slots).why, "web.3 on c: it has the highest number of equals");
}

TEST(VictimsTest, NoMoreThanThereAre) {
  EXPECT_TRUE(choose_victims({}, 3).empty());
  const auto all = choose_victims({slot(1, "a"), slot(2, "b")}, 5);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_THAT(all[0].why, HasSubstr("all of them go"));
}

TEST(VictimsTest, TheOrderOfTheInputDoesNotCount) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Random random(seed);
    std::vector<Slot> slots;
    for (std::int64_t i = 1; i <= 8; ++i) {
      slots.push_back(slot(i, std::string(1, static_cast<char>('a' + random.below(3))),
                           static_cast<std::uint32_t>(random.below(20))));
      slots.back().facts.healthy = random.below(4) != 0;
      if (random.below(5) == 0) slots.back().state = SlotState::kWaiting;
    }
    const auto numbers = [](const std::vector<Victim>& victims) {
      std::vector<std::int64_t> out;
      out.reserve(victims.size());
      for (const auto& victim : victims) out.push_back(victim.slot);
      return out;
    };
    const auto one = numbers(choose_victims(slots, 4));
    std::reverse(slots.begin(), slots.end());
    EXPECT_EQ(one, numbers(choose_victims(slots, 4))) << "seed " << seed;
    // What serves never goes while something does not.
    std::size_t idle = 0;
    for (const auto& s : slots)
      if (s.state != SlotState::kRunning || !s.facts.healthy) ++idle;
    std::size_t idle_chosen = 0;
    for (const auto number : one)
      for (const auto& s : slots)
        if (s.number == number && (s.state != SlotState::kRunning || !s.facts.healthy))
          ++idle_chosen;
    EXPECT_EQ(idle_chosen, std::min<std::size_t>(idle, 4)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hive::decide::placement
