// One worker from the wish to the ready node, over a cloud in memory, with everything that may come
// between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/instance_launch_kind.h"
#include "controller/launch_part.h"
#include "controller/testing/cloud_operation.h"

namespace hive::controller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LaunchTest : public testing::CloudOperationTest {
 protected:
  LaunchTest() : CloudOperationTest(make_instance_launch_kind()) {
    cloud.add("shop-manager-1", "manager");
    world.settings.name = "shop";
    look();
    cloud.on_join = [this](const cloud::Instance& one, const cloud::SwarmPlace& place) {
      joins.push_back(place);
      if (joins_silently) return;
      engine.add_node(one.hostname, model::Role::kWorker, one.address);
    };
  }

  Status begin(Json request = Json::object()) {
    request["timeout_ms"] = 60'000;
    HIVE_ASSIGN(record.request, kind->check(request, world));
    record.id = "op1";
    record.created_unix_ms = world.now_unix_ms;
    return {};
  }
  void run(int steps) {
    for (int i = 0; i < steps && running(); ++i) step();
  }
  int workers() const { return count_workers(cloud.instances); }

  std::vector<cloud::SwarmPlace> joins;
  bool joins_silently = false;
};

TEST_F(LaunchTest, StartsJoinsAndRegisters) {
  ASSERT_TRUE(begin());
  EXPECT_EQ(json_string(record.request, "name"), "shop-worker-1");
  step();
  EXPECT_THAT(done, ElementsAre("start instance shop-worker-1"));
  ASSERT_EQ(cloud.launches.size(), 1U);
  EXPECT_TRUE(cloud.launches[0].standard_user_data);
  EXPECT_EQ(cloud.launches[0].user_data, "") << "no token is in user data";
  run(5);
  EXPECT_THAT(joins, IsEmpty()) << "its engine does not answer yet";
  cloud.boot();
  run(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
  EXPECT_THAT(record.result, HasSubstr("ready after"));
  ASSERT_EQ(joins.size(), 1U);
  EXPECT_EQ(joins[0].token, engine.join_tokens()->worker);
  EXPECT_THAT(joins[0].managers, ElementsAre("10.0.0.1:2377"));
  EXPECT_EQ(cloud.status.targets.size(), 1U);
}

TEST_F(LaunchTest, ADeadControllerStartsNoSecondOne) {
  ASSERT_TRUE(begin());
  step();
  // Its state is written, and nobody knows whether the action was done.
  for (int i = 0; i < 3; ++i) {
    record.state["asked_unix_ms"] = 1;
    const auto instances = cloud.instances;
    cloud.instances.resize(1);  // the cloud's list is late
    world.now_unix_ms += 1'000;
    look();
    cloud.instances = instances;
    last = kind->step(record, {world, std::nullopt, [](const std::string&) { return ""; }});
    for (const auto& action : last.actions) ASSERT_TRUE(action.run(outside));
    EXPECT_EQ(workers(), 1);
  }
}

TEST_F(LaunchTest, ACloudWithoutCapacityIsAskedLessAndLessOften) {
  for (int i = 0; i < 4; ++i)
    cloud.fail_launches.push_back({Errc::kResourceExhausted, "no m5.large is left", {}});
  cloud.boot();
  ASSERT_TRUE(begin());
  run(10);
  EXPECT_LE(done.size(), 3U);
  EXPECT_THAT(told, Contains(HasSubstr("no m5.large is left")));
  EXPECT_THAT(last.progress.doing, HasSubstr("no m5.large is left"));
  for (int i = 0; i < 200; ++i) {
    run(1);
    cloud.boot();
  }
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
}

TEST_F(LaunchTest, NoCapacityForLongEnds) {
  for (int i = 0; i < 1'000; ++i)
    cloud.fail_launches.push_back({Errc::kThrottled, "slow down", {}});
  ASSERT_TRUE(begin());
  run(2'000);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("slow down"));
  EXPECT_LT(done.size(), 30U);
  EXPECT_EQ(workers(), 0);
}

TEST_F(LaunchTest, WhatCannotHelpIsNotTriedAgain) {
  cloud.fail_launches.push_back({Errc::kPermissionDenied, "not allowed", {}});
  ASSERT_TRUE(begin());
  run(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_EQ(done.size(), 1U);
}

TEST_F(LaunchTest, OneThatNeverBootsIsEndedAndAnotherIsTried) {
  cloud.starts_hung = true;
  ASSERT_TRUE(begin());
  for (int i = 0; i < 100 && cloud.terminations == 0; ++i) run(1);
  EXPECT_THAT(told, Contains(HasSubstr("no ready node after 1m")));
  EXPECT_THAT(told, Contains(HasSubstr("does not answer yet")));
  EXPECT_EQ(workers(), 0);
  cloud.starts_hung = false;
  for (int i = 0; i < 70; ++i) {
    run(1);
    cloud.boot();
  }
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
  EXPECT_EQ(workers(), 1);
  EXPECT_EQ(cloud.launches.size(), 2U);
}

TEST_F(LaunchTest, ThreeAreTriedAndNoneIsLeftBehind) {
  cloud.starts_hung = true;
  ASSERT_TRUE(begin());
  run(400);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("3 instances were started and none became a node"));
  EXPECT_EQ(cloud.launches.size(), 3U);
  EXPECT_EQ(workers(), 0);
}

TEST_F(LaunchTest, ANodeThatIsNeverReadyLeavesTheSwarmBeforeItEnds) {
  ASSERT_TRUE(begin());
  step();
  cloud.boot();
  joins_silently = true;
  const std::string id = engine.add_node("shop-worker-1", model::Role::kWorker, "10.0.0.2");
  engine.set_node_state(id, model::NodeState::kDown);
  run(62);
  EXPECT_THAT(done, Contains("remove node shop-worker-1"));
  EXPECT_THAT(done, Contains("end instance shop-worker-1"));
}

// What is ready has tasks a moment later.
TEST_F(LaunchTest, ANodeThatJoinsInTheLastMomentStays) {
  ASSERT_TRUE(begin());
  step();
  cloud.boot();
  joins_silently = true;
  cloud.on_terminate = [](const cloud::Instance&) { FAIL() << "it is a ready node"; };
  while (!json_bool(record.state, "ending")) {
    dies = world.now_unix_ms >= record.created_unix_ms + 60'000;
    step();
  }
  dies = false;
  engine.add_node("shop-worker-1", model::Role::kWorker, "10.0.0.2");
  ASSERT_FALSE(last.actions.empty());
  EXPECT_EQ(last.actions.back().run(outside).error().code, Errc::kConflict);
  run(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
}

TEST_F(LaunchTest, ABalancerThatRefusesEndsNoNode) {
  ASSERT_TRUE(begin());
  step();
  cloud.boot();
  step();
  for (int i = 0; i < 100; ++i)
    cloud.fail_others.push_back({Errc::kUnavailable, "the balancer is away", {}});
  engine.add_node("shop-worker-1", model::Role::kWorker, "10.0.0.2");
  run(100);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
  EXPECT_THAT(record.result, HasSubstr("the cloud's balancer does not take it"));
}

TEST_F(LaunchTest, CancelledItLeavesNothing) {
  ASSERT_TRUE(begin());
  step();
  record.cancelled = true;
  run(5);
  EXPECT_EQ(record.outcome, OperationOutcome::kCancelled);
  EXPECT_EQ(workers(), 0);
}

TEST_F(LaunchTest, NeverMoreThanTheBound) {
  cloud.add("shop-worker-1", "worker");
  look();
  EXPECT_EQ(begin({{"max", 1}}).error().code, Errc::kFailedPrecondition);
  ASSERT_TRUE(begin({{"max", 2}}));
  EXPECT_EQ(json_string(record.request, "name"), "shop-worker-2");
  cloud.add("shop-worker-7", "worker");  // somebody else's
  run(5);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("x-hive.workers.max"));
  EXPECT_EQ(workers(), 2);
}

TEST_F(LaunchTest, RefusesWithoutACloudAndANameThatIsTaken) {
  EXPECT_EQ(begin({{"name", "shop-manager-1"}}).error().code, Errc::kAlreadyExists);
  world.cloud.reset();
  EXPECT_EQ(begin().error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace hive::controller
