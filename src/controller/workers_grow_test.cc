// A group that is made larger, over a cloud in memory that names its machines itself, with
// everything that may come between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/fleet_sight.h"
#include "controller/testing/cloud_operation.h"
#include "controller/workers_grow_kind.h"

namespace hive::controller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GrowTest : public testing::CloudOperationTest {
 protected:
  GrowTest() : CloudOperationTest(make_workers_grow_kind()) {
    cloud.add("manager-1", "manager");
    cloud.group = cloud::WorkerGroup{1, 4, 1, ""};
    cloud.on_join = [this](const cloud::Instance& one, const cloud::SwarmPlace&) {
      engine.add_node(one.hostname, model::Role::kWorker, one.address);
    };
    cloud.fit();
    serve();
    cloud.raises.clear();
  }

  // What is held boots, joins and is let into service.
  void serve() {
    cloud.boot();
    cloud.fit();
    for (const auto& one : std::vector<cloud::Instance>(cloud.instances)) {
      if (one.hold != cloud::Hold::kLaunching || cloud.hung.contains(one.id)) continue;
      ASSERT_TRUE(cloud.release_hold(one));
    }
  }
  void give_up_held() {
    for (const auto& one : std::vector<cloud::Instance>(cloud.instances)) {
      if (one.hold != cloud::Hold::kLaunching) continue;
      ASSERT_TRUE(cloud.give_up_hold(one));
    }
  }
  Status begin(int to) {
    look();
    HIVE_ASSIGN(record.request, kind->check({{"to", to}}, world));
    record.kind = kWorkersGrow;
    record.created_unix_ms = world.now_unix_ms;
    return {};
  }
  void run(int steps, std::int64_t ms = 1'000) {
    for (int i = 0; i < steps && running(); ++i) {
      step(ms);
      cloud.fit();
    }
  }
};

TEST_F(GrowTest, AsksOnceForAllAndWaitsUntilTheyServe) {
  ASSERT_TRUE(begin(3));
  run(5);
  EXPECT_THAT(done, ElementsAre("ask for 3 workers"));
  EXPECT_EQ(last.progress.doing, "waits until 2 instances serve");
  EXPECT_THAT(record.state["leads"], IsEmpty());
  serve();
  run(2);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
  EXPECT_EQ(record.result, "2 instances came");
  EXPECT_EQ(record.state["leads"].size(), 2U);
  EXPECT_THAT(cloud.raises, ElementsAre(3));
}

TEST_F(GrowTest, ADeadControllerAsksForNoneTwice) {
  ASSERT_TRUE(begin(2));
  // Its state is written, and nobody knows whether the action was done.
  dies = true;
  step();
  ASSERT_EQ(last.actions.size(), 1U);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(last.actions[0].run(outside));
  dies = false;
  step();
  EXPECT_THAT(last.actions, IsEmpty());
  EXPECT_EQ(cloud.group->desired, 2);
  EXPECT_THAT(cloud.raises, ElementsAre(2));
  // Somebody makes the group smaller: that is not undone.
  cloud.group->desired = 1;
  run(100);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
  EXPECT_EQ(cloud.group->desired, 1);
}

TEST_F(GrowTest, AnAskThatWasNotDoneIsMadeAgain) {
  ASSERT_TRUE(begin(2));
  dies = true;
  step();
  dies = false;
  run(25);
  EXPECT_THAT(done, IsEmpty()) << "the cloud's word may be a moment old";
  run(10);
  EXPECT_THAT(done, ElementsAre("ask for 2 workers"));
}

TEST_F(GrowTest, AShortageIsToldAndWaitedForButNotForLong) {
  cloud.no_capacity = true;
  ASSERT_TRUE(begin(3));
  run(5);
  EXPECT_THAT(last.progress.doing, HasSubstr("no m5.large is left"));
  run(2'000);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("did not give 2 instances: no m5.large is left"));
  EXPECT_EQ(std::count_if(told.begin(), told.end(),
                          [](const auto& one) { return one.find("m5") != std::string::npos; }),
            1);
  EXPECT_EQ(cloud.group->desired, 1) << "it is asked for no more";
  EXPECT_THAT(cloud.raises, ElementsAre(3));
}

TEST_F(GrowTest, WhatComesAfterAShortageCounts) {
  cloud.no_capacity = true;
  ASSERT_TRUE(begin(2));
  run(300);
  cloud.no_capacity = false;
  run(5);
  serve();
  run(5);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
  EXPECT_THAT(cloud.raises, ElementsAre(2));
}

TEST_F(GrowTest, AThrottledCloudIsAskedLessAndLessOften) {
  for (int i = 0; i < 4; ++i) cloud.fail_launches.push_back({Errc::kThrottled, "slow down", {}});
  ASSERT_TRUE(begin(2));
  run(20);
  EXPECT_LE(done.size(), 3U);
  EXPECT_THAT(last.progress.doing, HasSubstr("slow down"));
  run(200);
  EXPECT_EQ(cloud.group->desired, 2);
}

TEST_F(GrowTest, WhatCannotHelpIsNotTriedAgain) {
  cloud.fail_launches.push_back({Errc::kPermissionDenied, "not allowed", {}});
  ASSERT_TRUE(begin(2));
  run(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("not allowed"));
  EXPECT_EQ(done.size(), 1U);
}

TEST_F(GrowTest, InstancesThatNeverJoinAreTriedThreeTimes) {
  cloud.starts_hung = true;
  ASSERT_TRUE(begin(2));
  run(5);
  for (int i = 0; i < 3; ++i) {
    give_up_held();  // as instance_ready does
    cloud.fit();
    run(2);
  }
  EXPECT_THAT(done, Contains(HasSubstr("end shop-worker-")));
  run(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed) << last.progress.doing;
  EXPECT_THAT(record.result, HasSubstr("3 instances came and became no node"));
  EXPECT_EQ(cloud.group->desired, 1);
}

TEST_F(GrowTest, CancelledItWaitsForNoMore) {
  cloud.no_capacity = true;
  ASSERT_TRUE(begin(4));
  run(3);
  record.cancelled = true;
  run(5);
  EXPECT_EQ(record.outcome, OperationOutcome::kCancelled);
  EXPECT_EQ(cloud.group->desired, 1);
}

TEST_F(GrowTest, RefusesBeyondTheGroupAndWithoutOne) {
  EXPECT_EQ(begin(5).error().code, Errc::kFailedPrecondition);
  EXPECT_EQ(begin(0).error().code, Errc::kInvalidArgument);
  cloud.group.reset();
  EXPECT_EQ(begin(2).error().code, Errc::kUnavailable);
}

TEST_F(GrowTest, WhatIsAskedForCountsBeforeTheCloudTells) {
  ASSERT_TRUE(begin(3));
  EXPECT_EQ(desired_workers(world, {record}), 3);
  EXPECT_EQ(fleet_sight(world, {record}, "").unborn, 2);
  EXPECT_EQ(fleet_sight(world, {}, "").unborn, 0);
  record.outcome = OperationOutcome::kFailed;
  EXPECT_EQ(desired_workers(world, {record}), 1);
}

TEST_F(GrowTest, WhatTheGroupEndsIsNoWorkerAnyMore) {
  look();
  ASSERT_EQ(fleet_sight(world, {}, "").workers.size(), 1U);
  const auto id = world.cloud->instances.back().id;
  cloud.group->desired = 2;
  ASSERT_TRUE(cloud.terminate(id));
  look();
  const auto sight = fleet_sight(world, {}, "");
  EXPECT_THAT(sight.workers, IsEmpty());
  EXPECT_EQ(sight.going.size(), 1U);
  EXPECT_EQ(sight.unborn, 1) << "its group starts another";
  EXPECT_EQ(fleet_sight(world, {}, id).workers.size(), 1U) << "hive's own victim, to its end";
}

// --- the dead are replaced where the cloud does not do it itself

OperationRecord reaping(const std::string& id, bool manager = false) {
  OperationRecord out;
  out.id = id;
  out.kind = "node_reap";
  out.request = Json{{"node", "gone"}, {"manager", manager}};
  out.outcome = OperationOutcome::kSucceeded;
  return out;
}

TEST(Replacements, OfEachReapedWorkerOneUntilItCame) {
  World world;
  world.cloud.emplace();
  std::vector<OperationRecord> records{reaping("reap-a"), reaping("reap-m", true)};
  auto due = replacements_due(world, records);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].id, "for-reap-a-1");
  OperationRecord launch;
  launch.id = due[0].id;
  launch.kind = "instance_launch";
  launch.request = Json{{"replaces", "reap-a"}, {"attempt", 1}};
  records.push_back(launch);
  EXPECT_THAT(replacements_due(world, records), IsEmpty()) << "it is under way";
  records.back().outcome = OperationOutcome::kFailed;
  due = replacements_due(world, records);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].id, "for-reap-a-2");
  // The reaping's own record is gone by then.
  records.erase(records.begin());
  EXPECT_EQ(replacements_due(world, records).size(), 1U);
  records.back().outcome = OperationOutcome::kSucceeded;
  EXPECT_THAT(replacements_due(world, records), IsEmpty());
  world.cloud->group.emplace();
  EXPECT_THAT(replacements_due(world, {reaping("reap-a")}), IsEmpty()) << "the group does it";
}

TEST(Replacements, NotOfANodeThatCameBack) {
  World world;
  world.cloud.emplace();
  world.snapshot.nodes["gone"].id = "gone";
  EXPECT_THAT(replacements_due(world, {reaping("reap-a")}), IsEmpty());
}

}  // namespace
}  // namespace hive::controller
