#include "decide/rollout/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::decide::rollout {
namespace {

using testing::HasSubstr;

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    sight.wanted = 2;
    sight.updater = Updater::kUpdating;
    sight.now_ms = 1'000'000;
    for (const char* place : {"1", "2"})
      sight.tasks.push_back(task(false, TaskStage::kServing, place));
  }
  static TaskView task(bool is_new, TaskStage stage, const char* place, const char* trouble = "") {
    return {is_new, stage, place, trouble, false};
  }
  void replace_all() {
    sight.tasks = {task(true, TaskStage::kServing, "1"), task(true, TaskStage::kServing, "2")};
    sight.updater = Updater::kIdle;
  }
  Decision at(std::int64_t later_ms) {
    sight.now_ms = 1'000'000 + later_ms;
    return next(sight, policy, memory);
  }

  Sight sight;
  Policy policy;
  Memory memory;
};

TEST_F(SupervisorTest, WaitsWhileTasksAreReplaced) {
  sight.tasks.push_back(task(true, TaskStage::kStarting, "1", "preparing"));
  const auto decision = at(0);
  EXPECT_EQ(decision.verb, Verb::kWait);
  EXPECT_EQ(decision.reason, "0 of 2 new tasks serve (preparing)");
  EXPECT_EQ(decision.of, 2U);
}

TEST_F(SupervisorTest, IsDoneOnceAllHaveServedForTheMonitorTime) {
  replace_all();
  EXPECT_EQ(at(0).verb, Verb::kHold);
  EXPECT_EQ(at(4'999).verb, Verb::kHold);
  EXPECT_EQ(at(5'000).verb, Verb::kDone);
}

TEST_F(SupervisorTest, TheMonitorTimeBeginsAnewWhenATaskStopsServing) {
  replace_all();
  at(0);
  sight.tasks[0].stage = TaskStage::kStarting;
  EXPECT_EQ(at(3'000).verb, Verb::kWait);
  sight.tasks[0].stage = TaskStage::kServing;
  EXPECT_EQ(at(5'000).verb, Verb::kHold);
  EXPECT_EQ(at(10'000).verb, Verb::kDone);
}

TEST_F(SupervisorTest, IsNotDoneWhileSwarmIsAtWork) {
  replace_all();
  sight.updater = Updater::kUpdating;
  at(0);
  EXPECT_EQ(at(60'000).verb, Verb::kHold);
}

TEST_F(SupervisorTest, IsNotDoneWhileAnOldTaskIsWanted) {
  replace_all();
  sight.tasks.push_back(task(false, TaskStage::kServing, "3"));
  EXPECT_EQ(at(0).verb, Verb::kWait);
  sight.tasks.back().stage = TaskStage::kLeaving;
  EXPECT_EQ(at(1).verb, Verb::kHold);
}

TEST_F(SupervisorTest, OfSeveralFailuresTheNewestIsTold) {
  for (const auto& [trouble, since_ms] :
       {std::pair{"exit code 1", 100}, {"exit code 3", 300}, {"exit code 2", 200}}) {
    sight.tasks.push_back(task(true, TaskStage::kFailed, "1", trouble));
    sight.tasks.back().since_ms = since_ms;
  }
  sight.updater = Updater::kPaused;
  EXPECT_EQ(at(0).reason, "a task of the new version failed: exit code 3");
}

TEST_F(SupervisorTest, AFailedTaskThatPausedTheUpdateIsUndoneWithItsError) {
  sight.tasks.push_back(task(true, TaskStage::kFailed, "1", "No such image: shop:9"));
  EXPECT_EQ(at(0).verb, Verb::kWait);  // Swarm tries again
  sight.updater = Updater::kPaused;
  const auto decision = at(1);
  EXPECT_EQ(decision.verb, Verb::kUndo);
  EXPECT_THAT(decision.reason, HasSubstr("No such image: shop:9"));
}

TEST_F(SupervisorTest, ACrashLoopIsUndoneEvenWhereSwarmToleratesFailures) {
  for (int i = 0; i < 2; ++i)
    sight.tasks.push_back(task(true, TaskStage::kFailed, "1", "exit code 1"));
  EXPECT_EQ(at(0).verb, Verb::kWait);
  sight.tasks.push_back(task(true, TaskStage::kFailed, "2", "exit code 1"));
  EXPECT_EQ(at(1).verb, Verb::kWait);  // another slot's
  sight.tasks.push_back(task(true, TaskStage::kFailed, "1", "exit code 1"));
  EXPECT_EQ(at(2).verb, Verb::kUndo);
}

TEST_F(SupervisorTest, ATaskLostWithItsNodeIsNotTheVersionsFault) {
  sight.tasks.push_back(task(true, TaskStage::kFailed, "1", "node is down"));
  sight.tasks.back().node_lost = true;
  sight.updater = Updater::kPaused;
  EXPECT_EQ(at(0).verb, Verb::kResume);
}

TEST_F(SupervisorTest, ATaskThatNeverStartsHasADeadline) {
  sight.tasks.push_back(task(true, TaskStage::kStarting, "1", "no suitable node"));
  at(0);
  EXPECT_EQ(at(299'999).verb, Verb::kWait);
  const auto decision = at(300'000);
  EXPECT_EQ(decision.verb, Verb::kUndo);
  EXPECT_THAT(decision.reason, HasSubstr("no suitable node"));
}

TEST_F(SupervisorTest, EachTaskThatServesGivesTheNextOneItsTime) {
  at(0);
  sight.tasks[0] = task(true, TaskStage::kServing, "1");
  EXPECT_EQ(at(290'000).verb, Verb::kWait);
  EXPECT_EQ(at(580'000).verb, Verb::kWait);
  EXPECT_EQ(at(590'000).verb, Verb::kUndo);
}

TEST_F(SupervisorTest, ErrorsAreUndoneWhileTasksAreStillReplaced) {
  sight.tasks.push_back(task(true, TaskStage::kServing, "1"));
  sight.old_version = {200, 0, 5};
  sight.new_version = {30, 30, 5};
  const auto decision = at(0);
  EXPECT_EQ(decision.verb, Verb::kUndo);
  EXPECT_THAT(decision.reason, HasSubstr("30 of its 30 requests failed"));
}

TEST_F(SupervisorTest, SlownessMustLast) {
  sight.tasks.push_back(task(true, TaskStage::kServing, "1"));
  sight.old_version = {500, 0, 20};
  sight.new_version = {200, 0, 900};
  EXPECT_EQ(at(0).verb, Verb::kWait);
  sight.new_version.response_time_ms = 25;
  EXPECT_EQ(at(3'000).verb, Verb::kWait);
  sight.new_version.response_time_ms = 900;
  EXPECT_EQ(at(5'000).verb, Verb::kWait);
  EXPECT_EQ(at(10'000).verb, Verb::kUndo);
}

TEST_F(SupervisorTest, ACanaryIsPromotedAfterItsTimeWithItsFigures) {
  sight.canary = true;
  sight.wanted = 1;
  policy.canary_ms = 60'000;
  sight.updater = Updater::kIdle;
  sight.tasks.push_back(task(true, TaskStage::kStarting, "c1"));
  EXPECT_THAT(at(0).reason, HasSubstr("waits until the canary serves"));
  sight.tasks.back().stage = TaskStage::kServing;
  sight.old_version = {900, 0, 5};
  sight.new_version = {100, 0, 6};
  EXPECT_EQ(at(10'000).verb, Verb::kHold);
  EXPECT_EQ(at(69'999).verb, Verb::kHold);
  const auto decision = at(70'000);
  EXPECT_EQ(decision.verb, Verb::kPromote);
  EXPECT_THAT(decision.reason, HasSubstr("100 requests, 0 failed, 6 ms"));
}

TEST_F(SupervisorTest, ACanaryWithoutRequestsSaysThatItWasNotJudgedByThem) {
  sight.canary = true;
  sight.wanted = 1;
  policy.canary_ms = 1'000;
  sight.tasks.push_back(task(true, TaskStage::kServing, "c1"));
  at(0);
  EXPECT_THAT(at(1'000).reason, HasSubstr("too few requests"));
}

TEST_F(SupervisorTest, ACanaryThatFailsOnceIsUndone) {
  sight.canary = true;
  sight.wanted = 1;
  sight.tasks.push_back(task(true, TaskStage::kFailed, "c1", "exit code 3"));
  const auto decision = at(0);
  EXPECT_EQ(decision.verb, Verb::kUndo);
  EXPECT_EQ(decision.reason, "the canary failed: exit code 3");
}

TEST_F(SupervisorTest, AGlobalServiceIsDoneWithATaskAtEachPlace) {
  sight.global = true;
  sight.wanted = 0;
  replace_all();
  EXPECT_EQ(at(0).of, 2U);
  EXPECT_EQ(at(5'000).verb, Verb::kDone);
}

TEST_F(SupervisorTest, TheWayBackEndsWhenTheOldTasksServe) {
  sight.tasks.push_back(task(true, TaskStage::kStarting, "1"));
  EXPECT_EQ(next_back(sight, policy, memory).verb, Verb::kWait);
  sight.updater = Updater::kPaused;
  EXPECT_EQ(next_back(sight, policy, memory).verb, Verb::kResume);
  sight.tasks.back().stage = TaskStage::kLeaving;
  sight.updater = Updater::kUpdating;  // Swarm's own watch need not be waited for
  sight.tasks.back().lingers = true;   // but that nobody asks the bad version
  EXPECT_EQ(next_back(sight, policy, memory).verb, Verb::kWait);
  sight.tasks.back().lingers = false;
  EXPECT_EQ(next_back(sight, policy, memory).verb, Verb::kDone);
}

TEST_F(SupervisorTest, TheWayBackHasADeadlineToo) {
  sight.tasks[0].stage = TaskStage::kStarting;
  next_back(sight, policy, memory);
  sight.now_ms += policy.start_deadline_ms;
  EXPECT_EQ(next_back(sight, policy, memory).verb, Verb::kUndo);
}

}  // namespace
}  // namespace hive::decide::rollout
