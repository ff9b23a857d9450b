#include "controller/autoscale_signals.h"

#include <gtest/gtest.h>

#include "controller/testing/small_world.h"

namespace hive::controller {
namespace {

constexpr MonotonicTime kNow{std::chrono::hours(1)};

class SignalsTest : public ::testing::Test {
 protected:
  SignalsTest() {
    small.web().labels[kListenersLabel] = "[]";
    for (const char* id : {"a", "b", "c"}) heard(id, 400);
    small.web().reserved_nano_cpus = 500'000'000;
    small.web().limit_nano_cpus = 1'000'000'000;
    small.web().limit_memory_bytes = 1'000;
  }
  void heard(const std::string& node, int ms_ago) {
    small.world.reported_at[node] = kNow - Milliseconds(ms_ago);
  }
  // What the edge of the node counts for the task.
  void traffic(const std::string& node, std::int64_t slot, std::uint32_t rate,
               std::uint32_t in_flight, std::uint32_t queued, std::uint32_t ms) {
    model::EndpointStats stats;
    stats.task_id = SmallTask(slot);
    stats.rate = rate;
    stats.in_flight = in_flight;
    stats.queued = queued;
    stats.response_time_ms = ms;
    small.world.reports[node].stats.push_back(stats);
  }
  void used(const std::string& node, std::int64_t slot, std::uint64_t millicores,
            std::uint64_t bytes, std::uint64_t age_ms = 0) {
    small.world.reports[node].usage.push_back({SmallTask(slot), millicores, bytes, age_ms});
  }
  static std::string SmallTask(std::int64_t slot) { return testing::SmallWorld::task_id(slot); }
  ServiceSignals signals(bool settled = true) {
    const SignalBook book(small.world, kNow, {"s"}, settled);
    return book.of(small.web());
  }

  testing::SmallWorld small;
};

TEST_F(SignalsTest, WhatWaitsForAnyTaskHasComeAndIsOpenAndMakesAnswersLate) {
  traffic("a", 1, 40, 20, 0, 500);
  traffic("b", 2, 60, 20, 0, 500);
  small.world.reports["a"].backends = {{"shop_web", 300, 700}, {"another", 999, 999}};
  small.world.reports["b"].backends = {{"shop_web", 100, 50}};
  const auto out = signals();
  EXPECT_DOUBLE_EQ(out.requests.value.value(), 400) << "not the 100 that were taken";
  EXPECT_DOUBLE_EQ(out.in_flight.value.value(), 40 + 750);
  EXPECT_NEAR(out.latency_s.value.value(), 0.5 + 750 / 100.0, 1e-12);
}

TEST_F(SignalsTest, AnEdgeThatTellsNothingOfItsQueueCountsWithWhatWasTaken) {
  traffic("a", 1, 40, 20, 0, 500);
  traffic("b", 2, 60, 20, 0, 500);
  small.world.reports["b"].backends = {{"shop_web", 80, 0}};
  EXPECT_DOUBLE_EQ(signals().requests.value.value(), 40 + 80);
}

TEST_F(SignalsTest, EdgesAreSummedOverNodesAndTasks) {
  traffic("a", 1, 10, 2, 1, 100);
  traffic("a", 2, 30, 1, 0, 300);
  traffic("b", 1, 60, 0, 0, 50);
  heard("b", 1'500);
  const auto out = signals();
  EXPECT_DOUBLE_EQ(out.requests.value.value(), 100);
  EXPECT_DOUBLE_EQ(out.requests.age_s, 1.5) << "the oldest of those that count";
  EXPECT_DOUBLE_EQ(out.in_flight.value.value(), 4);
  EXPECT_NEAR(out.latency_s.value.value(), (1 + 10 * 0.1 + 30 * 0.3 + 60 * 0.05) / 100, 1e-12)
      << "the one that waits is taken in a hundredth of a second";
  EXPECT_FALSE(out.partial);
  EXPECT_EQ(out.serving.size(), 3U);
}

TEST_F(SignalsTest, NoLoadIsZeroAndHasNoLatency) {
  const auto out = signals();
  EXPECT_DOUBLE_EQ(out.requests.value.value(), 0);
  EXPECT_FALSE(out.latency_s.value);
}

TEST_F(SignalsTest, AServiceWithoutListenersHasNoRequests) {
  small.web().labels.clear();
  traffic("a", 1, 10, 2, 1, 100);
  EXPECT_FALSE(signals().requests.value);
}

TEST_F(SignalsTest, ASilentEdgeMakesItPartial) {
  traffic("a", 1, 10, 0, 0, 1);
  traffic("b", 1, 20, 0, 0, 1);
  heard("b", 5'100);
  auto out = signals();
  EXPECT_TRUE(out.partial);
  EXPECT_DOUBLE_EQ(out.requests.value.value(), 10);
  small.node("b").state = model::NodeState::kDown;
  out = signals();
  EXPECT_FALSE(out.partial) << "nothing comes in by a node that is down";
}

TEST_F(SignalsTest, AnEdgeInTroubleMakesItPartial) {
  small.world.reports["c"].edge = "port 8080 is taken";
  EXPECT_TRUE(signals().partial);
}

TEST_F(SignalsTest, ANodeThatNeverReportedCountsOnlyAtFirst) {
  small.world.reported_at.erase("c");
  small.world.reports.erase("c");
  EXPECT_TRUE(signals(false).partial);
  EXPECT_FALSE(signals(true).partial);
}

TEST_F(SignalsTest, WithoutAnyAgentNothingIsKnown) {
  small.world.reports.clear();
  const auto out = signals();
  EXPECT_FALSE(out.requests.value);
  EXPECT_FALSE(out.cpu.value);
  EXPECT_TRUE(out.partial);
}

TEST_F(SignalsTest, SharesAreOfTheReservationThenOfTheLimit) {
  used("a", 1, 250, 100);
  used("b", 2, 500, 300, 200);
  used("c", 3, 0, 500);
  const auto out = signals();
  EXPECT_DOUBLE_EQ(out.cpu.value.value(), 0.5);
  EXPECT_DOUBLE_EQ(out.cpu.age_s, 0.6);
  EXPECT_DOUBLE_EQ(out.memory.value.value(), 0.3);
  small.web().reserved_nano_cpus = small.web().limit_nano_cpus = 0;
  small.web().limit_memory_bytes = 0;
  EXPECT_DOUBLE_EQ(signals().cpu.value.value(), 0.25) << "of one core";
  EXPECT_FALSE(signals().memory.value);
}

TEST_F(SignalsTest, AMeanOfFewIsNone) {
  used("a", 1, 250, 100);
  EXPECT_FALSE(signals().cpu.value) << "one of three";
  used("b", 2, 250, 100);
  EXPECT_TRUE(signals().cpu.value);
  small.world.reports["b"].usage.back().age_ms = 4'900;
  EXPECT_FALSE(signals().cpu.value) << "too old to count";
}

TEST_F(SignalsTest, WhatIsUnhealthyOrLeavesDoesNotServe) {
  used("a", 1, 500, 0);
  used("b", 2, 0, 0);
  used("c", 3, 0, 0);
  small.world.reports["a"].leaving = {SmallTask(1)};
  small.world.reports["b"].not_ready = {SmallTask(2)};
  const auto out = signals();
  ASSERT_EQ(out.serving.size(), 1U);
  EXPECT_EQ(out.serving.front()->slot, 3);
  EXPECT_DOUBLE_EQ(out.cpu.value.value(), 0);
}

TEST_F(SignalsTest, TasksWithoutANodeAreCounted) {
  auto& task = small.add_task(4, "");
  task.state = model::TaskState::kPending;
  EXPECT_EQ(signals().unplaced, 1);
  EXPECT_EQ(signals().serving.size(), 3U);
}

}  // namespace
}  // namespace hive::controller
