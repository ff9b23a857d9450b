#include "cli/stopped.h"

#include <gtest/gtest.h>

namespace hive::cli {
namespace {

TEST(Stopped, ATaskThatWasToldToStopIsShownAsStopped) {
  Look look;
  add_stops(Json::parse(R"([{"task_id": "t", "by": "scale-in", "reason": "the load fell"},
                            {"task_id": "u"}])"),
            look);
  model::Task task;
  task.id = "t";
  task.state = model::TaskState::kFailed;
  task.exit_code = 143;
  const Json shown = task_json(look, task);
  EXPECT_EQ(shown["stopped"], (Json{{"by", "scale-in"}, {"reason", "the load fell"}}));
  EXPECT_EQ(shown["state"], "failed") << "Swarm's own word stays";
  const ManualClock clock;
  EXPECT_TRUE(state_for_people(task, clock, true).starts_with("Stopped "));
  EXPECT_TRUE(state_for_people(task, clock).starts_with("Failed "));
  task.id = "v";
  EXPECT_FALSE(task_json(look, task).contains("stopped"));
}

TEST(Stopped, WhatIsNoListIsNotUsed) {
  Look look;
  add_stops(Json::parse(R"({"error": "x"})"), look);
  EXPECT_TRUE(look.stops.empty());
}

}  // namespace
}  // namespace hive::cli
