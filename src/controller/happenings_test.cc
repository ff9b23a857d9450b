#include "controller/happenings.h"

#include <gtest/gtest.h>

namespace hive::controller {
namespace {

using model::TaskState;

class HappeningsTest : public ::testing::Test {
 protected:
  HappeningsTest() {
    before.nodes["n"].hostname = "shop-worker-1";
    before.services["s"].name = "web";
    auto& task = before.tasks["t"];
    task.id = "t";
    task.service_id = "s";
    task.node_id = "n";
    task.slot = 2;
    task.state = TaskState::kRunning;
    now = before;
  }
  Happening only() {
    const auto all = happenings(before, now);
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Happening{} : all.front();
  }

  model::Snapshot before, now;
};

TEST_F(HappeningsTest, TheFirstLookTellsNothing) {
  EXPECT_TRUE(happenings(model::Snapshot{}, now).empty());
}

TEST_F(HappeningsTest, ATaskThatWasToldToStopHasNotFailed) {
  now.tasks["t"].state = TaskState::kFailed;
  now.tasks["t"].exit_code = 143;
  now.tasks["t"].error = "task: non-zero exit (143)";
  const auto told = only();
  EXPECT_EQ(told.event.kind, "task_ended");
  EXPECT_EQ(told.event.subject, "web.2");
  EXPECT_EQ(told.ended_task, "t");
}

TEST_F(HappeningsTest, ATaskThatEndedByItselfHasFailed) {
  now.tasks["t"].state = TaskState::kFailed;
  now.tasks["t"].exit_code = 1;
  now.tasks["t"].error = "task: non-zero exit (1)";
  const auto told = only();
  EXPECT_EQ(told.event.kind, "task_failed");
  EXPECT_EQ(told.event.reason, "on shop-worker-1: task: non-zero exit (1)");
  EXPECT_EQ(told.ended_task, "t");
}

TEST_F(HappeningsTest, ATaskWhoseHealthCheckFailedHasFailed) {
  now.tasks["t"].state = TaskState::kFailed;
  now.tasks["t"].exit_code = 143;
  now.tasks["t"].error = "task: non-zero exit (143): dockerexec: unhealthy container";
  EXPECT_EQ(only().event.kind, "task_failed");
}

TEST_F(HappeningsTest, AStartIsNoEnd) {
  before.tasks["t"].state = TaskState::kStarting;
  EXPECT_EQ(only().event.kind, "task_running");
  EXPECT_EQ(only().ended_task, "");
}

}  // namespace
}  // namespace hive::controller
