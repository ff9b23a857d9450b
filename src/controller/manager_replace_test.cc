// A manager that is gone, brought back over a Swarm and a cloud in memory, with everything that may
// come between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/manager_replace_kind.h"
#include "controller/testing/cloud_operation.h"

namespace hive::controller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The managers 1 and 3 of three; the engine's own node is a manager besides.
class ReplaceTest : public testing::CloudOperationTest {
 protected:
  ReplaceTest() : CloudOperationTest(make_manager_replace_kind()) {
    world.settings.name = "shop";
    world.settings.managers = 3;
    for (const int number : {1, 3}) {
      const auto& one = cloud.add("shop-manager-" + std::to_string(number), "manager");
      engine.add_node(one.hostname, model::Role::kManager, one.address);
      ids.push_back(one.id);
    }
    EXPECT_TRUE(cloud.register_instance(ids[0]));
    cloud.on_join = [this](const cloud::Instance& one, const cloud::SwarmPlace& place) {
      joins.push_back(place);
      if (joins_silently) return;
      engine.add_node(one.hostname, model::Role::kManager, one.address);
    };
    look();
  }

  std::vector<OperationRequest> proposed(const std::vector<OperationRecord>& known = {}) {
    look();
    return kind->propose(world, known);
  }
  Status begin() {
    HIVE_ASSIGN(record.request, kind->check({{"number", 2}}, world));
    record.id = "manager-2-1";
    record.kind = kManagerReplace;
    record.created_unix_ms = world.now_unix_ms;
    return {};
  }
  void run(int steps) {
    for (int i = 0; i < steps && running(); ++i) step();
  }
  void boots(int steps) {
    for (int i = 0; i < steps && running(); ++i) {
      cloud.boot();
      step();
    }
  }
  int machines() const {
    return static_cast<int>(
        std::count_if(cloud.instances.begin(), cloud.instances.end(),
                      [](const auto& one) { return one.hostname == "shop-manager-2"; }));
  }
  std::string node_named(const std::string& name) {
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes)
      if (node.hostname == name) return node.id;
    return "";
  }

  std::vector<std::string> ids;
  std::vector<cloud::SwarmPlace> joins;
  bool joins_silently = false;
};

OperationRecord other(const std::string& kind, const Json& request,
                      OperationOutcome outcome = OperationOutcome::kRunning) {
  OperationRecord out;
  out.id = kind + "-1";
  out.kind = kind;
  out.request = request;
  out.outcome = outcome;
  return out;
}

TEST_F(ReplaceTest, ComesBackAsManagerAndBehindTheBalancer) {
  const auto requests = proposed();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].id, "manager-2-1");
  ASSERT_TRUE(begin());
  EXPECT_EQ(kind->subject(record.request, world), "manager shop-manager-2");
  EXPECT_THAT(kind->claims(record), Contains("managers"));
  run(29);
  EXPECT_THAT(done, IsEmpty()) << "the cloud's list may be a moment old";
  run(1);
  EXPECT_THAT(done, ElementsAre("start instance shop-manager-2"));
  ASSERT_EQ(cloud.launches.size(), 1U);
  EXPECT_EQ(cloud.launches[0].role, "manager");
  EXPECT_TRUE(cloud.launches[0].standard_user_data);
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
  EXPECT_THAT(record.result, HasSubstr("ready after"));
  ASSERT_FALSE(joins.empty());
  EXPECT_EQ(joins[0].token, engine.join_tokens()->manager);
  EXPECT_EQ(cloud.status.targets.size(), 2U);
  EXPECT_THAT(proposed(), IsEmpty());
}

TEST_F(ReplaceTest, AnotherZoneThanTheFirstIsSaid) {
  cloud.fail_launches = {{Errc::kResourceExhausted, "no capacity anywhere", {}}};
  cloud.detour = "no capacity in zone a; it comes in zone b instead";
  ASSERT_TRUE(begin());
  run(45);
  EXPECT_THAT(told, ElementsAre(HasSubstr("no capacity anywhere; it is asked again"),
                                "no capacity in zone a; it comes in zone b instead"));
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
  EXPECT_EQ(machines(), 1);
}

TEST_F(ReplaceTest, IsDoneWhereTheCloudNamesItsWorkersItselfToo) {
  cloud.group = cloud::WorkerGroup{0, 4, 0, ""};
  ASSERT_TRUE(begin());
  run(31);
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
}

TEST_F(ReplaceTest, StaysOutOfABalancerThatHasNoManagers) {
  ASSERT_TRUE(cloud.deregister_instance(ids[0]));
  ASSERT_TRUE(begin());
  run(31);
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
  EXPECT_THAT(cloud.status.targets, IsEmpty());
}

TEST_F(ReplaceTest, IsNotBegunWhileItMayNot) {
  ASSERT_EQ(proposed().size(), 1U);
  EXPECT_THAT(proposed({other("rollout", Json::object())}), IsEmpty());
  EXPECT_THAT(proposed({other("node_rm", {{"manager", true}})}), IsEmpty());
  EXPECT_THAT(proposed({other("node_reap", {{"manager", true}})}), IsEmpty());
  EXPECT_THAT(proposed({other(kManagerReplace, {{"number", 1}, {"manager", true}})}), IsEmpty())
      << "one at a time";
  EXPECT_EQ(proposed({other("node_rm", {{"manager", false}})}).size(), 1U);
  EXPECT_EQ(proposed({other("rollout", Json::object(), OperationOutcome::kSucceeded)}).size(), 1U);
  world.snapshot.services["s"].update_state = "updating";
  EXPECT_THAT(kind->propose(world, {}), IsEmpty());
  world.snapshot.services.clear();
  world.settings.replace_managers = false;
  EXPECT_THAT(proposed(), IsEmpty());
  EXPECT_EQ(begin().error().code, Errc::kFailedPrecondition);
  world.settings.replace_managers = true;
  world.settings.managers = 1;
  EXPECT_THAT(proposed(), IsEmpty());
  world.settings.managers = 3;
  // One that is down is not gone yet, and neither is a machine that is only stopped.
  engine.set_node_state(engine.add_node("shop-manager-2", model::Role::kManager, "10.0.0.99"),
                        model::NodeState::kDown);
  EXPECT_THAT(proposed(), IsEmpty());
  ASSERT_TRUE(cloud.stop(cloud.add("shop-manager-2", "manager").id));
  EXPECT_EQ(begin().error().code, Errc::kAlreadyExists);
  look();
  world.cloud.reset();
  EXPECT_THAT(kind->propose(world, {}), IsEmpty());
  EXPECT_EQ(begin().error().code, Errc::kUnavailable);
}

TEST_F(ReplaceTest, LaunchesNothingDuringARolloutThatBeganSince) {
  ASSERT_TRUE(begin());
  run(29);
  bool rolls_out = true;
  for (int i = 0; i < 100; ++i) {
    if (i == 90) rolls_out = false;
    world.now_unix_ms += 1'000;
    look();
    last = kind->step(record,
                      {world, std::nullopt, [](const std::string&) { return ""; },
                       [&](std::string_view which) { return rolls_out && which == "rollout"; }});
    if (!last.actions.empty()) break;
    EXPECT_LT(i, 90);
    EXPECT_THAT(last.progress.doing, HasSubstr("rollout"));
  }
  EXPECT_FALSE(last.actions.empty());
}

TEST_F(ReplaceTest, TheNextDeathIsAnotherOperationAndAFailureTheSame) {
  const Json request{{"number", 2}};
  auto before = other(kManagerReplace, request, OperationOutcome::kFailed);
  before.id = "manager-2-1";
  EXPECT_EQ(proposed({before}).at(0).id, "manager-2-1") << "begun anew once its record is gone";
  before.outcome = OperationOutcome::kCancelled;
  EXPECT_EQ(proposed({before}).at(0).id, "manager-2-1");
  before.outcome = OperationOutcome::kSucceeded;
  EXPECT_EQ(proposed({before}).at(0).id, "manager-2-2");
  auto third = other(kManagerReplace, {{"number", 3}}, OperationOutcome::kSucceeded);
  third.id = "manager-3-7";
  EXPECT_EQ(proposed({before, third}).at(0).id, "manager-2-2");
}

TEST_F(ReplaceTest, SomebodyElseWasFirst) {
  ASSERT_TRUE(begin());
  run(5);
  cloud.add("shop-manager-2", "manager");
  run(5);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded);
  EXPECT_THAT(record.result, HasSubstr("nothing had to be done"));
  EXPECT_EQ(machines(), 1);
}

TEST_F(ReplaceTest, SomebodyElseWasFirstByAMoment) {
  ASSERT_TRUE(begin());
  run(29);
  dies = true;
  step();
  ASSERT_EQ(last.actions.size(), 1U);
  cloud.add("shop-manager-2", "manager");
  EXPECT_TRUE(last.actions[0].run(outside)) << "theirs does as well";
  dies = false;
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
  EXPECT_EQ(machines(), 1);
}

// Its state is written, and nobody knows whether the action was done: the cloud lists it later.
TEST_F(ReplaceTest, ADeadControllerLaunchesNoSecondOne) {
  cloud.lists_late = true;
  ASSERT_TRUE(begin());
  run(30);
  ASSERT_EQ(machines(), 1);
  run(100);
  EXPECT_GT(done.size(), 1U) << "it was asked for again";
  EXPECT_EQ(machines(), 1);
  cloud.show();
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
  EXPECT_EQ(machines(), 1);
}

TEST_F(ReplaceTest, AnAnswerThatIsLostLaunchesNoSecondOne) {
  cloud.lists_late = true;
  cloud.lost_answers = 3;
  ASSERT_TRUE(begin());
  run(70);
  EXPECT_EQ(machines(), 1);
  cloud.show();
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
}

TEST_F(ReplaceTest, OneThatEndsBeforeItIsListedIsNotWaitedForForEver) {
  cloud.lists_late = true;
  ASSERT_TRUE(begin());
  run(31);
  ASSERT_EQ(machines(), 1);
  cloud.die(cloud.instances.back().id);
  cloud.lists_late = false;
  run(40);
  ASSERT_EQ(cloud.launches.size(), 2U) << "another token";
  boots(10);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
}

TEST_F(ReplaceTest, OneThatCannotBeEndedNowIsEndedLater) {
  cloud.starts_hung = true;
  ASSERT_TRUE(begin());
  while (running() && !json_bool(record.state, "ending")) {
    dies = world.now_unix_ms - record.created_unix_ms >= 630'000;
    step();
  }
  dies = false;
  for (int i = 0; i < 50; ++i) cloud.fail_others.push_back({Errc::kUnavailable, "away", {}});
  cloud.starts_hung = false;
  run(600);
  EXPECT_EQ(cloud.terminations, 1U);
  boots(60);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
}

TEST_F(ReplaceTest, TwoOperationsTokensDiffer) {
  ASSERT_TRUE(begin());
  run(31);
  const auto first = cloud.launches.at(0).idempotency_token;
  record = OperationRecord();
  cloud.die(cloud.instances.back().id);
  world.now_unix_ms += 3'600'000;
  look();
  ASSERT_TRUE(begin()) << "of the same id, once the first one's record is gone";
  run(31);
  ASSERT_EQ(cloud.launches.size(), 2U);
  EXPECT_NE(cloud.launches[1].idempotency_token, first);
}

TEST_F(ReplaceTest, ACloudWithoutCapacityIsAskedLessAndLessOften) {
  for (int i = 0; i < 4; ++i)
    cloud.fail_launches.push_back({Errc::kResourceExhausted, "no t3.medium is left", {}});
  ASSERT_TRUE(begin());
  run(45);
  EXPECT_LE(done.size(), 3U);
  EXPECT_THAT(told, Contains(HasSubstr("no t3.medium is left")));
  EXPECT_THAT(last.progress.doing, HasSubstr("no t3.medium is left"));
  boots(200);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
}

TEST_F(ReplaceTest, WhatCannotHelpIsNotTriedAgainAtOnce) {
  cloud.fail_launches.push_back({Errc::kPermissionDenied, "these credentials may not", {}});
  ASSERT_TRUE(begin());
  run(100);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("may not"));
  EXPECT_EQ(done.size(), 1U);
}

TEST_F(ReplaceTest, ThreeThatNeverBootAreEndedAndNoneIsLeftBehind) {
  cloud.starts_hung = true;
  ASSERT_TRUE(begin());
  run(3'000);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("3 instances were started and none became a node"));
  EXPECT_THAT(told, Contains(HasSubstr("no ready node after 10m")));
  EXPECT_EQ(cloud.launches.size(), 3U);
  EXPECT_EQ(machines(), 0);
}

TEST_F(ReplaceTest, OneThatDiesAfterItJoinedIsDemotedAndRemovedBeforeTheNext) {
  ASSERT_TRUE(begin());
  run(31);
  joins_silently = true;
  cloud.boot();
  run(3);
  const auto machine = cloud.instances.back();
  ASSERT_EQ(machine.hostname, "shop-manager-2");
  const auto id = engine.add_node(machine.hostname, model::Role::kManager, machine.address);
  engine.set_node_state(id, model::NodeState::kDown);
  cloud.die(machine.id);
  run(3);
  EXPECT_THAT(done, Contains("make shop-manager-2 a worker"));
  EXPECT_THAT(done, Contains("remove node shop-manager-2"));
  EXPECT_EQ(cloud.launches.size(), 1U);
  joins_silently = false;
  boots(60);
  EXPECT_EQ(record.outcome, OperationOutcome::kSucceeded) << record.result;
  EXPECT_EQ(cloud.launches.size(), 2U);
}

// Quorum: of four managers two answer, so that none of them may go.
TEST_F(ReplaceTest, NothingIsDemotedThatTheQuorumNeeds) {
  ASSERT_TRUE(begin());
  run(31);
  const auto machine = cloud.instances.back();
  engine.set_node_state(engine.add_node(machine.hostname, model::Role::kManager, machine.address),
                        model::NodeState::kDown);
  engine.set_node_state(node_named("shop-manager-1"), model::NodeState::kDown);
  engine.set_node_state(node_named("shop-manager-3"), model::NodeState::kDown);
  cloud.die(machine.id);
  run(100);
  EXPECT_THAT(done, Not(Contains(HasSubstr("a worker"))));
  EXPECT_THAT(last.progress.doing, HasSubstr("Swarm needs"));
}

TEST_F(ReplaceTest, AReadyNodeIsNeverEnded) {
  ASSERT_TRUE(begin());
  run(31);
  joins_silently = true;
  cloud.boot();
  const auto machine = cloud.instances.back();
  // It joined, and is no manager: somebody demoted it.
  engine.add_node(machine.hostname, model::Role::kWorker, machine.address);
  cloud.on_terminate = [](const cloud::Instance&) { FAIL() << "it is a ready node"; };
  run(1'000);
  EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(record.result, HasSubstr("no manager that the others reach"));
  EXPECT_EQ(machines(), 1);
}

TEST_F(ReplaceTest, CancelledItLeavesNothing) {
  ASSERT_TRUE(begin());
  run(31);
  ASSERT_EQ(machines(), 1);
  record.cancelled = true;
  run(5);
  EXPECT_EQ(record.outcome, OperationOutcome::kCancelled);
  EXPECT_EQ(machines(), 0);
}

TEST_F(ReplaceTest, TheFileWasChangedSince) {
  ASSERT_TRUE(begin());
  world.settings.name.clear();  // it is just being written
  run(40);
  EXPECT_TRUE(running());
  EXPECT_THAT(done, IsEmpty());
  world.settings.name = "shop";
  world.settings.managers = 1;
  run(1);
  EXPECT_EQ(record.outcome, OperationOutcome::kCancelled);
  EXPECT_EQ(machines(), 0);
}

}  // namespace
}  // namespace hive::controller
