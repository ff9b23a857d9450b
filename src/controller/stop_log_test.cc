#include "controller/stop_log.h"

#include <gtest/gtest.h>

namespace hive::controller {
namespace {

constexpr MonotonicTime kEnded{std::chrono::hours(1)};

class StopLogTest : public ::testing::Test {
 protected:
  void heard(std::uint64_t begun = 0, std::uint64_t in_flight = 0, const char* task = "t") {
    model::StopRecord record;
    record.task_id = task;
    record.by = "scale-in";
    log.heard(record, {begun, in_flight});
  }
  void ended(bool agent_there = true, MonotonicTime at = kEnded) {
    log.ended("t", {0, 1, "task_failed", "web.2", "exit code 143"}, agent_there, at);
  }
  std::size_t due(Milliseconds later) { return log.due(kEnded + later).size(); }

  StopLog log;
};

TEST_F(StopLogTest, AStopHasOneLineItsRecord) {
  heard();
  log.recorded("t");
  ended();
  EXPECT_EQ(due(std::chrono::hours(1)), 0U);
}

TEST_F(StopLogTest, TheRecordMayComeAfterSwarmsWord) {
  ended();
  EXPECT_EQ(due(Milliseconds(2'000)), 0U);
  heard();
  for (int report = 0; report < 10; ++report) heard();
  EXPECT_EQ(due(Milliseconds(29'000)), 0U);
  log.recorded("t");
  EXPECT_EQ(due(std::chrono::hours(1)), 0U);
}

TEST_F(StopLogTest, AnEndWithoutAStopIsToldSoon) {
  ended();
  EXPECT_EQ(due(Milliseconds(3'000)), 1U);
  EXPECT_EQ(due(std::chrono::hours(1)), 0U) << "once";
}

TEST_F(StopLogTest, WhereNoAgentIsSwarmsWordIsToldAtOnce) {
  ended(false);
  EXPECT_EQ(due(Milliseconds(0)), 1U);
}

TEST_F(StopLogTest, AStopWhoseRecordNeverComesHasSwarmsWord) {
  ended();
  for (int report = 0; report < 10; ++report) heard();
  EXPECT_EQ(due(Milliseconds(29'000)), 0U);
  EXPECT_EQ(due(Milliseconds(30'000)), 1U);
}

TEST_F(StopLogTest, RequestsAreCountedSinceTheStopBegan) {
  EXPECT_EQ(log.requests_finished("t"), 0U);
  heard(100, 3);
  EXPECT_EQ(log.requests_finished("t"), 0U);
  heard(104, 2);
  EXPECT_EQ(log.requests_finished("t"), 5U);
  heard(104, 0);
  EXPECT_EQ(log.requests_finished("t"), 7U);
  heard(0, 0);  // its edges have forgotten it
  EXPECT_EQ(log.requests_finished("t"), 7U);
}

TEST_F(StopLogTest, WhatItKeepsIsBounded) {
  for (int i = 0; i < 3'000; ++i) heard(0, 0, ("t" + std::to_string(i)).c_str());
  EXPECT_EQ(log.tasks().size(), 2'000U);
  EXPECT_TRUE(log.tasks().contains("t2999"));
  EXPECT_EQ(log.as_json().size(), 2'000U);
  EXPECT_EQ(log.as_json().at(0)["by"], "scale-in");
}

}  // namespace
}  // namespace hive::controller
