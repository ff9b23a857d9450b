#include "controller/rollout_sight.h"

#include <gtest/gtest.h>

namespace hive::controller {
namespace {

using decide::rollout::TaskStage;
using model::TaskState;

class RolloutSight : public ::testing::Test {
 protected:
  RolloutSight() {
    versions.service_id = "s";
    versions.new_digest = 2;
    versions.begun_unix_ms = 1'000;
    world.snapshot.services["s"].replicas = 2;
    world.snapshot.nodes["n"].state = model::NodeState::kReady;
    world.reports["n"].edge = "ok";
  }
  model::Task& task(const std::string& id, std::uint64_t digest,
                    TaskState state = TaskState::kRunning) {
    auto& out = world.snapshot.tasks[id];
    out.id = id;
    out.service_id = "s";
    out.node_id = "n";
    out.slot = 1;
    out.template_digest = digest;
    out.state = state;
    out.desired = TaskState::kRunning;
    out.created_unix_ms = 2'000;
    return out;
  }
  TaskStage stage() { return rollout_sight(world, versions, false).tasks.at(0).stage; }
  void total(const std::string& id, std::uint64_t requests, std::uint64_t errors,
             std::uint32_t ms = 10) {
    model::EndpointStats stats;
    stats.task_id = id;
    stats.requests_total = requests;
    stats.errors_5xx_total = errors;
    stats.response_time_ms = ms;
    stats.rate = 10;
    auto& list = world.reports["n"].stats;
    std::erase_if(list, [&](const auto& one) { return one.task_id == id; });
    list.push_back(stats);
    ledger.count(world, versions);
  }

  World world;
  RolloutVersions versions;
  RolloutLedger ledger;
};

// One slow request through an edge that asks the task seldom is one of many, whatever the edge does
// just now.
TEST_F(RolloutSight, AveragesWeighAsManyRequestsAsTheyAreOf) {
  versions.new_digest = 2;
  task("t", 2);
  model::EndpointStats often{.task_id = "t", .requests_total = 299};
  often.response_time_ms = 20;
  model::EndpointStats seldom{.task_id = "t", .requests_total = 1};
  seldom.response_time_ms = 4'000;
  seldom.rate = 1;
  world.reports["n"].stats = {often};
  world.reports["m"].stats = {seldom};
  ledger.count(world, versions);
  EXPECT_EQ(ledger.new_version().requests, 300U);
  EXPECT_EQ(ledger.new_version().response_time_ms, 33U);
  world.reports["n"].stats[0].requests_total = 100'000;
  ledger.count(world, versions);
  EXPECT_EQ(ledger.new_version().response_time_ms, 28U) << "an edge's average is of 512 at most";
}

TEST_F(RolloutSight, ATaskServesOnceItsEdgesSaySo) {
  task("t", 2, TaskState::kStarting);
  EXPECT_EQ(stage(), TaskStage::kStarting);
  task("t", 2);
  EXPECT_EQ(stage(), TaskStage::kServing);
  world.reports["n"].not_ready = {"t"};
  EXPECT_EQ(stage(), TaskStage::kStarting);
  world.reports["n"].edge = "HAProxy does not answer";  // an edge that serves nobody says nothing
  EXPECT_EQ(stage(), TaskStage::kServing);
  world.reports["n"].leaving = {"t"};
  EXPECT_EQ(stage(), TaskStage::kLeaving);
}

TEST_F(RolloutSight, ATaskThatSomebodyStoppedHasNotFailed) {
  task("t", 2, TaskState::kFailed).exit_code = 143;
  EXPECT_EQ(stage(), TaskStage::kFailed);
  world.stopped = {"t"};
  EXPECT_EQ(stage(), TaskStage::kLeaving);
  // Unless it was Swarm, since it is no good.
  task("t", 2, TaskState::kFailed).error =
      "task: non-zero exit (143): dockerexec: unhealthy container";
  EXPECT_EQ(stage(), TaskStage::kFailed);
}

TEST_F(RolloutSight, AnUnhealthyTaskDoesNotServe) {
  task("t", 2);
  agent::ContainerReport container;
  container.task_id = "t";
  container.health = "unhealthy";
  world.reports["n"].containers = {container};
  EXPECT_EQ(stage(), TaskStage::kStarting);
}

TEST_F(RolloutSight, OnlyFailuresSinceTheBeginCount) {
  auto& failed = task("t", 2, TaskState::kFailed);
  failed.desired = TaskState::kShutdown;
  failed.error = "exit code 3";
  EXPECT_EQ(stage(), TaskStage::kFailed);
  EXPECT_EQ(rollout_sight(world, versions, false).tasks.at(0).trouble, "exit code 3");
  failed.created_unix_ms = 999;  // the same version, an hour ago
  EXPECT_EQ(stage(), TaskStage::kLeaving);
}

TEST_F(RolloutSight, ATaskThatSwarmStoppedIsNoFailure) {
  task("t", 2, TaskState::kShutdown).desired = TaskState::kShutdown;
  EXPECT_EQ(stage(), TaskStage::kLeaving);
}

TEST_F(RolloutSight, ATaskThatIsToldToStopLingersUntilItsAgentSaysThatItLeaves) {
  task("t", 2).desired = TaskState::kShutdown;
  EXPECT_EQ(stage(), TaskStage::kLeaving);
  EXPECT_TRUE(rollout_sight(world, versions, false).tasks.at(0).lingers);
  world.reports["n"].leaving = {"t"};
  EXPECT_FALSE(rollout_sight(world, versions, false).tasks.at(0).lingers);
}

TEST_F(RolloutSight, ATaskOnALostNodeIsMarked) {
  task("t", 2);
  world.snapshot.nodes["n"].state = model::NodeState::kDown;
  const auto view = rollout_sight(world, versions, false).tasks.at(0);
  EXPECT_TRUE(view.node_lost);
  EXPECT_EQ(view.stage, TaskStage::kStarting);
}

TEST_F(RolloutSight, OnTheWayBackAllButTheKeptAreNew) {
  task("t", 7);
  versions.kept_digest = 1;
  EXPECT_TRUE(rollout_sight(world, versions, false).tasks.at(0).is_new);
  task("t", 1);
  EXPECT_FALSE(rollout_sight(world, versions, false).tasks.at(0).is_new);
}

TEST_F(RolloutSight, TheOldVersionIsCountedFromTheBeginAndTheNewOneWhole) {
  task("old", 1);
  task("new", 2);
  total("old", 5'000, 100);  // before
  EXPECT_EQ(ledger.old_version().requests, 0U);
  total("old", 5'030, 101);
  total("new", 20, 3);
  EXPECT_EQ(ledger.old_version().requests, 30U);
  EXPECT_EQ(ledger.old_version().errors, 1U);
  EXPECT_EQ(ledger.new_version().requests, 20U);
  EXPECT_EQ(ledger.new_version().errors, 3U);
}

TEST_F(RolloutSight, OnceEnoughCameBesideTheNewOneOnlyThatTimeCounts) {
  task("old", 1);
  task("new", 2);
  total("old", 0, 0);
  total("old", 500, 500);  // an outage before the new version came
  total("new", 10, 0);
  total("old", 600, 500);
  EXPECT_EQ(ledger.old_version().requests, 100U);
  EXPECT_EQ(ledger.old_version().errors, 0U);
}

TEST_F(RolloutSight, AnAgentThatCountsAnewIsUnderstood) {
  task("new", 2);
  total("new", 100, 0);
  total("new", 10, 1);
  EXPECT_EQ(ledger.new_version().requests, 110U);
  EXPECT_EQ(ledger.new_version().errors, 1U);
}

TEST_F(RolloutSight, TasksOfOtherServicesAndTheCanarysAreToldApart) {
  versions.canary_id = "c";
  task("canary", 9).service_id = "c";
  task("other", 9).service_id = "x";
  total("other", 50, 50);
  total("canary", 5, 1);
  EXPECT_EQ(ledger.new_version().requests, 5U);
  EXPECT_EQ(ledger.old_version().requests, 0U);
}

// What a new leader of Swarm's does in the middle of a start-first update: the old task of the slot
// is told to go although the new one does not run yet.
TEST_F(RolloutSight, WhatWasToldToGoTooEarlyIsNeededYet) {
  world.snapshot.services["s"].start_first = true;
  task("old-1", 1);
  task("old-2", 1).desired = TaskState::kShutdown;
  task("new-2", 2, TaskState::kStarting);
  EXPECT_EQ(needed_yet(world, versions), std::vector<std::string>{"old-2"});
  task("new-2", 2, TaskState::kFailed);
  world.snapshot.services["s"].update_state = "paused";
  EXPECT_EQ(needed_yet(world, versions), std::vector<std::string>{"old-2"});
  task("new-2b", 2);
  EXPECT_TRUE(needed_yet(world, versions).empty());
  world.reports["n"].not_ready = {"new-2b"};
  EXPECT_EQ(needed_yet(world, versions), std::vector<std::string>{"old-2"});
  world.snapshot.services["s"].start_first = false;  // its other comes only when it has ended
  EXPECT_TRUE(needed_yet(world, versions).empty());
}

TEST_F(RolloutSight, OnTheWayBackTheBadVersionIsNotNeeded) {
  world.snapshot.services["s"].start_first = true;
  versions.kept_digest = 1;
  task("bad", 2).desired = TaskState::kShutdown;
  task("good", 1).desired = TaskState::kShutdown;
  EXPECT_EQ(needed_yet(world, versions), std::vector<std::string>{"good"});
}

}  // namespace
}  // namespace hive::controller
