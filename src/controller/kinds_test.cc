// The kinds of operations, step by step, over a world that the tests move as Swarm would.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/canary_rm_kind.h"
#include "controller/instance_end_kind.h"
#include "controller/node_drain_kind.h"
#include "controller/node_rm_kind.h"
#include "controller/rollout_spec.h"
#include "controller/scale_kind.h"
#include "controller/task_stop_kind.h"
#include "controller/testing/small_world.h"

namespace hive::controller {
namespace {

using model::Availability;
using model::TaskState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::SmallWorld;
using testing::Stepped;

class KindsTest : public ::testing::Test {
 protected:
  void later(std::int64_t ms) { small.world.now_unix_ms += ms; }

  SmallWorld small;
};

// --- scale

TEST_F(KindsTest, ScaleInStopsThenShrinks) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "web"}, {"replicas", 2}}));
  EXPECT_EQ(run.record.subject, "shop_web");
  run.step();
  EXPECT_THAT(run.stops(), ElementsAre("task-3-0"));
  EXPECT_THAT(run.actions(), IsEmpty());
  EXPECT_THAT(run.last.notes, ElementsAre(HasSubstr("chose shop_web.3 on shop-c")));
  small.replaced(3);
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty());
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 2"));
  small.web().replicas = 2;
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kRunning) << "Swarm has not removed the slot";
  small.removed(3);
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
  EXPECT_EQ(run.last.result, "scaled from 3 to 2");
}

TEST_F(KindsTest, ScaleInWaitsForSwarmsScheduler) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "web"}, {"replicas", 2}}));
  run.step();
  small.replaced(3);
  auto& next = small.world.snapshot.tasks.at("task-3-1");
  next.created_unix_ms = small.world.now_unix_ms;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "where it comes to stand is not known yet";
  EXPECT_TRUE(run.last.look_again);
  next.node_id = "c";
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 2"));
}

// Swarm's leader drops a removal now and then ("update out of sequence"), and looks at the service
// again only when it is written: the slot stays, though one replica less is asked for.
TEST_F(KindsTest, ARemovalThatSwarmForgotIsAskedForAgain) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "web"}, {"replicas", 2}}));
  run.step();
  small.replaced(3);
  auto& next = small.world.snapshot.tasks.at("task-3-1");
  next.created_unix_ms = small.world.now_unix_ms;
  next.node_id = "c";
  run.step();
  small.web().replicas = 2;
  run.step();
  later(2'000);
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "removing takes Swarm a moment";
  later(600);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 2 to 2"));
  later(1'000);
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "once is asked, and again has its moment";
  small.removed(3);
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

// A scale-out that still waits for its tasks while a later command has scaled back: the later one
// counts, also when it is back to where the first came from.
TEST_F(KindsTest, AScaleOutIsNotWrittenAgainOverALaterScaleIn) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "web"}, {"replicas", 4}}));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 4"));
  EXPECT_THAT(run.claims(), ElementsAre(service_claim("s"))) << "nobody may scale in between";
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 4")) << "it was not done yet";
  small.web().replicas = 4;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  EXPECT_THAT(run.claims(), IsEmpty()) << "what is left is waiting";
  small.web().replicas = 3;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  EXPECT_EQ(run.last.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(run.last.result, HasSubstr("set to 3 by somebody else"));
}

TEST_F(KindsTest, ScaleInWithoutAHoldIsPlainAndSaysWhatIsLost) {
  small.web().own_init = false;
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "s"}, {"replicas", 1}}));
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty());
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 1"));
  EXPECT_THAT(run.last.notes, ElementsAre(HasSubstr("is cut off")));
}

TEST_F(KindsTest, ScaleInIsPlainWhereAnotherInitRuns) {
  for (auto& [id, report] : small.world.reports) report.containers[0].init = "tini";
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "s"}, {"replicas", 2}}));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 2"));
  EXPECT_THAT(run.last.notes, ElementsAre(HasSubstr("runs tini")));
}

// It has just ended, by its stop: that is no other init.
TEST_F(KindsTest, ScaleInWaitsForSwarmOnceTheChosenContainerIsGone) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "web"}, {"replicas", 2}}));
  run.step();
  ASSERT_THAT(run.stops(), ElementsAre("task-3-0"));
  for (auto& [id, report] : small.world.reports)
    for (auto& container : report.containers)
      if (container.task_id == "task-3-0") container.init = "gone";
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "Swarm still says that it runs";
}

TEST_F(KindsTest, ScaleInWaitsForAnAgentThenGoesOnPlainly) {
  small.world.reports.clear();
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "s"}, {"replicas", 2}}));
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  later(16'000);
  run.step();
  EXPECT_THAT(run.last.notes, ElementsAre(HasSubstr("no agent answers")));
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 2"));
}

TEST_F(KindsTest, ScaleToZero) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "s"}, {"replicas", 0}}));
  run.step();
  EXPECT_EQ(run.stops().size(), 3U);
  for (std::int64_t slot : {1, 2, 3}) small.replaced(slot);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 0"));
}

TEST_F(KindsTest, ScaleOutWaitsUntilTheTasksServe) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "s"}, {"replicas", 4}}));
  EXPECT_THAT(run.claims(), ElementsAre(service_claim("s")));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 4"));
  small.web().replicas = 4;
  run.step();
  EXPECT_THAT(run.claims(), IsEmpty()) << "others may change the number while it waits";
  EXPECT_EQ(run.last.outcome, OperationOutcome::kRunning);
  small.add_task(4, "a");
  run.step();
  later(2'500);
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
  EXPECT_EQ(run.last.result, "scaled from 3 to 4");
}

TEST_F(KindsTest, ScaleOutThatAnotherChangedSaysSo) {
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "s"}, {"replicas", 5}}));
  run.step();
  small.web().replicas = 2;
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kFailed);
  EXPECT_THAT(run.last.result, HasSubstr("by somebody else"));
}

TEST_F(KindsTest, ScaleRefusesWhatDockerRefuses) {
  Stepped run(make_scale_kind(), small.world);
  EXPECT_EQ(run.begin({{"service", "none"}, {"replicas", 1}}).error().code, Errc::kNotFound);
  EXPECT_EQ(run.begin({{"service", "s"}, {"replicas", -1}}).error().code, Errc::kInvalidArgument);
  small.web().global = true;
  const auto global = run.begin({{"service", "s"}, {"replicas", 1}});
  EXPECT_EQ(global.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(global.error().message, HasSubstr("global"));
}

TEST_F(KindsTest, ScaleWaitsForAnUpdateToEnd) {
  small.web().update_state = "updating";
  Stepped run(make_scale_kind(), small.world);
  ASSERT_TRUE(run.begin({{"service", "s"}, {"replicas", 4}}));
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  EXPECT_THAT(run.last.progress.doing, HasSubstr("update"));
}

// --- task stop

TEST_F(KindsTest, TaskStopSurgesFirst) {
  Stepped run(make_task_stop_kind(), small.world);
  ASSERT_TRUE(run.begin({{"task", "shop_web.2"}}));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 4"));
  small.web().replicas = 4;
  small.add_task(4, "a");
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty()) << "the new one must stay for a moment";
  later(2'000);
  run.step();
  EXPECT_THAT(run.stops(), ElementsAre("task-2-0"));
  small.replaced(2);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 4 to 3"));
  small.web().replicas = 3;
  small.removed(2);
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(KindsTest, TaskStopOfAStopFirstServiceNeverHasTwo) {
  small.web().start_first = false;
  Stepped run(make_task_stop_kind(), small.world);
  ASSERT_TRUE(run.begin({{"task", "task-2-0"}}));
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  EXPECT_THAT(run.stops(), ElementsAre("task-2-0"));
  small.replaced(2);
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty());
  EXPECT_EQ(run.last.outcome, OperationOutcome::kRunning);
  auto& next = small.world.snapshot.tasks.at("task-2-1");
  next.state = next.desired = TaskState::kRunning;
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(KindsTest, TaskStopWithForceWaitsForNothing) {
  Stepped run(make_task_stop_kind(), small.world);
  ASSERT_TRUE(run.begin({{"task", "task-2"}, {"force", true}}));
  run.step();
  ASSERT_EQ(run.last.stops.size(), 1U);
  EXPECT_TRUE(run.last.stops[0].force);
  small.replaced(2);
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(KindsTest, TaskStopNamesWhatItCannotFind) {
  Stepped run(make_task_stop_kind(), small.world);
  EXPECT_EQ(run.begin({{"task", "web.9"}}).error().code, Errc::kNotFound);
  EXPECT_EQ(run.begin({{"task", ""}}).error().code, Errc::kNotFound);
  EXPECT_TRUE(run.begin({{"task", "web.1"}}));
  small.task(1).state = TaskState::kFailed;
  EXPECT_EQ(run.begin({{"task", "task-1-0"}}).error().code, Errc::kFailedPrecondition);
}

TEST_F(KindsTest, TaskStopWithoutRoomGoesOneByOne) {
  Stepped run(make_task_stop_kind(), small.world);
  ASSERT_TRUE(run.begin({{"task", "web.2"}}));
  run.step();
  small.web().replicas = 4;
  auto& stuck = small.add_task(4, "");
  stuck.state = TaskState::kPending;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  later(21'000);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 4 to 3"));
  EXPECT_THAT(run.last.notes, ElementsAre(HasSubstr("no node has room")));
  small.web().replicas = 3;
  small.removed(4);
  run.step();
  EXPECT_THAT(run.stops(), ElementsAre("task-2-0"));
}

TEST_F(KindsTest, ACancelledTaskStopTakesItsSurgeBack) {
  Stepped run(make_task_stop_kind(), small.world);
  ASSERT_TRUE(run.begin({{"task", "web.2"}}));
  run.step();
  small.web().replicas = 4;
  auto& fresh = small.add_task(4, "a");
  fresh.state = TaskState::kPreparing;
  run.record.cancelled = true;
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 4 to 3"));
  small.web().replicas = 3;
  small.removed(4);
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kCancelled);
}

TEST_F(KindsTest, RebalancingMovesOneTaskWhenNothingElseGoesOn) {
  const auto kind = make_task_stop_kind();
  EXPECT_THAT(kind->propose(small.world, {}), IsEmpty()) << "it is even";
  for (std::int64_t slot : {1, 2, 3}) small.task(slot).node_id = "a";
  ASSERT_EQ(kind->propose(small.world, {}).size(), 1U);
  EXPECT_THAT(kind->propose(small.world, {})[0].request.dump(), HasSubstr("rebalancing"));
  OperationRecord other;
  EXPECT_THAT(kind->propose(small.world, {other}), IsEmpty());
  other.outcome = OperationOutcome::kSucceeded;
  other.finished_unix_ms = small.world.now_unix_ms - 1'000;
  EXPECT_THAT(kind->propose(small.world, {other}), IsEmpty());
  other.finished_unix_ms -= 20'000;
  EXPECT_EQ(kind->propose(small.world, {other}).size(), 1U);
  small.world.settings.rebalance = false;
  EXPECT_THAT(kind->propose(small.world, {}), IsEmpty());
}

TEST_F(KindsTest, AMoveThatChangedNothingIsNotMadeAgain) {
  const auto kind = make_task_stop_kind();
  for (std::int64_t slot : {1, 2, 3}) small.task(slot).node_id = "a";
  const auto asked = kind->propose(small.world, {});
  ASSERT_EQ(asked.size(), 1U);
  OperationRecord done;
  done.by = "hive";
  done.request = *kind->check(asked[0].request, small.world);
  done.outcome = OperationOutcome::kSucceeded;
  done.finished_unix_ms = small.world.now_unix_ms - 20'000;
  EXPECT_THAT(kind->propose(small.world, {done}), IsEmpty());
  done.outcome = OperationOutcome::kFailed;
  EXPECT_EQ(kind->propose(small.world, {done}).size(), 1U) << "it was not made";
  done.outcome = OperationOutcome::kSucceeded;
  small.task(1).node_id = "b";
  small.task(2).node_id = "b";
  small.task(3).node_id = "b";
  EXPECT_EQ(kind->propose(small.world, {done}).size(), 1U) << "another reason";
}

// --- node drain

TEST_F(KindsTest, DrainSurgesLeavesTheBalancerThenStops) {
  small.with_cloud();
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "shop-a"}}));
  run.step();
  EXPECT_THAT(run.actions(),
              ElementsAre("set node shop-a to pause", "take shop-a out of the cloud's balancer",
                          "scale shop_web from 3 to 4"))
      << "no task may be started there";
  EXPECT_THAT(run.stops(), IsEmpty());
  small.node("a").availability = Availability::kPause;
  EXPECT_THAT(run.claims(), Contains(service_claim("s")));
  small.web().replicas = 4;
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty()) << "the new task does not serve yet";
  small.add_task(4, "b");
  run.step();
  later(300);
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty()) << "it has not served for long";
  EXPECT_EQ(run.last.look_again, Milliseconds(200)) << "the moment it has";
  later(200);
  run.step();
  EXPECT_THAT(run.stops(), ElementsAre("task-1-0"));
  small.replaced(1);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 4 to 3"));
  small.web().replicas = 3;
  small.removed(1);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("set node shop-a to drain"));
  small.node("a").availability = Availability::kDrain;
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kRunning) << "the balancer still has it";
  std::erase_if(small.world.cloud->balancer.targets,
                [](const auto& target) { return target.instance_id == "i-a"; });
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded) << run.last.progress.doing;
  EXPECT_EQ(run.last.result, "drained: moved 1 task of 1 service");
}

// The order may have failed, or reached one of several target groups alone.
TEST_F(KindsTest, ABalancerThatServesALeavingNodeIsToldAgain) {
  const auto tells = Contains(std::string("take shop-a out of the cloud's balancer"));
  small.with_cloud();
  small.node("a").availability = Availability::kPause;
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  EXPECT_THAT(run.actions(), tells);
  later(30'000);
  run.step();
  EXPECT_THAT(run.actions(), Not(tells)) << "the look may be older";
  later(31'000);
  run.step();
  EXPECT_THAT(run.actions(), tells);
  run.step();
  EXPECT_THAT(run.actions(), Not(tells));
  for (auto& target : small.world.cloud->balancer.targets)
    if (target.instance_id == "i-a") target.health = cloud::TargetHealth::kDraining;
  later(61'000);
  run.step();
  EXPECT_THAT(run.actions(), Not(tells));
}

TEST_F(KindsTest, DrainOfWhatIsDrainedSucceedsAtOnce) {
  small.removed(1);
  small.world.snapshot.tasks.erase("task-1-0");
  small.world.reports["a"].containers.clear();
  small.node("a").availability = Availability::kDrain;
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(KindsTest, DrainLeavesTheLastNodeWithTheBalancer) {
  small.with_cloud();
  small.world.cloud->balancer.targets.resize(1);
  small.node("a").availability = Availability::kPause;
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  EXPECT_THAT(run.last.notes, Contains(HasSubstr("no other node in service")));
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 4"));
}

TEST_F(KindsTest, DrainAtItsDeadlineIsSwarms) {
  small.node("a").availability = Availability::kPause;
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}, {"timeout_ms", 1'000}}));
  run.step();
  small.web().replicas = 4;
  later(2'000);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("set node shop-a to drain"));
  EXPECT_THAT(run.last.notes, ElementsAre(HasSubstr("its time is up")));
}

TEST_F(KindsTest, ACancelledDrainPutsEverythingBack) {
  small.with_cloud();
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  small.node("a").availability = Availability::kPause;
  run.step();
  small.web().replicas = 4;
  small.add_task(4, "b").state = TaskState::kPreparing;
  run.record.cancelled = true;
  run.step();
  EXPECT_THAT(run.actions(), Contains("set node shop-a to active"));
  EXPECT_THAT(run.actions(), Contains("put shop-a into the cloud's balancer"));
  EXPECT_THAT(run.actions(), Contains("scale shop_web from 4 to 3"));
  small.node("a").availability = Availability::kActive;
  small.web().replicas = 3;
  small.removed(4);
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kCancelled);
}

TEST_F(KindsTest, ANodeThatDiesDuringItsDrainLeavesNoReplicaTooMany) {
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  small.node("a").availability = Availability::kPause;
  run.step();
  small.web().replicas = 4;
  small.add_task(4, "b").state = TaskState::kPreparing;
  small.node("a").state = model::NodeState::kDown;
  run.step();
  EXPECT_THAT(run.actions(), Contains("scale shop_web from 4 to 3"));
}

TEST_F(KindsTest, ADrainThatSomebodyElseOrderedIsSurgedDuringTheHold) {
  small.node("a").availability = Availability::kDrain;
  small.task(1).desired = TaskState::kShutdown;  // held
  auto& planned = small.add_task(1, "b", "task-1-1");
  planned.state = planned.desired = TaskState::kReady;
  planned.created_unix_ms = small.world.now_unix_ms;
  Stepped run(make_node_drain_kind(), small.world);
  const auto proposed = run.kind().propose(small.world, {});
  ASSERT_EQ(proposed.size(), 1U);
  ASSERT_TRUE(run.begin(proposed[0].request));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 3 to 4"));
  EXPECT_THAT(run.kind().propose(small.world, {run.record}), IsEmpty());
  small.web().replicas = 4;
  small.add_task(4, "c");
  run.step();
  later(2'000);
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty()) << "Swarm has told it already";
  EXPECT_THAT(run.actions(), ElementsAre("scale shop_web from 4 to 3"))
      << "exactly the slot that is held goes";
}

TEST_F(KindsTest, ANodeWhoseMachineShutsDownIsDrainedAndTakenInAgain) {
  small.world.reports["a"].departs_in_ms = 60'000;
  Stepped run(make_node_drain_kind(), small.world);
  const auto proposed = run.kind().propose(small.world, {});
  ASSERT_EQ(proposed.size(), 1U);
  ASSERT_TRUE(run.begin(proposed[0].request));
  EXPECT_THAT(run.kind().propose(small.world, {run.record}), IsEmpty());
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("set node shop-a to pause", "scale shop_web from 3 to 4"));
  small.node("a").availability = Availability::kDrain;
  small.world.snapshot.tasks.erase("task-1-0");
  small.world.reports["a"].containers.clear();
  run.step();
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kRunning);
  EXPECT_THAT(run.actions(), IsEmpty()) << "it is still up";
  small.node("a").state = model::NodeState::kDown;
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("set node shop-a to active"));
  small.node("a").availability = Availability::kActive;
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
  EXPECT_THAT(run.kind().propose(small.world, {}), IsEmpty())
      << "its agent's last word is not old yet";
}

TEST_F(KindsTest, ActivateTellsSwarmAndTheBalancer) {
  small.with_cloud();
  small.node("a").availability = Availability::kDrain;
  Stepped run(make_node_activate_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  EXPECT_THAT(run.actions(),
              ElementsAre("set node shop-a to active", "put shop-a into the cloud's balancer"));
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(KindsTest, ADrainDoesNotWaitForWhatDidNotServeBefore) {
  small.task(3).state = TaskState::kPreparing;
  small.node("a").availability = Availability::kPause;
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  small.web().replicas = 4;
  small.add_task(4, "b");
  run.step();
  later(2'000);
  run.step();
  EXPECT_THAT(run.stops(), ElementsAre("task-1-0")) << "two served before, and two others do now";
}

// The edge of a node that has just come finds no task ready for a moment, and says so.
TEST_F(KindsTest, ADrainThatBeginsBesideANewEdgeWaitsForItsNewTaskAllTheSame) {
  small.world.reports["b"].not_ready = {"task-1-0", "task-2-0", "task-3-0"};
  small.node("a").availability = Availability::kPause;
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  small.world.reports["b"].not_ready.clear();
  small.web().replicas = 4;
  small.add_task(4, "b").state = TaskState::kPreparing;
  for (int i = 0; i < 5; ++i) {
    later(1'000);
    run.step();
    EXPECT_THAT(run.stops(), IsEmpty()) << "the new task does not serve yet";
  }
  small.task(4).state = TaskState::kRunning;
  run.step();
  later(500);
  run.step();
  EXPECT_THAT(run.stops(), ElementsAre("task-1-0"));
}

TEST_F(KindsTest, NorDoTwoGoAtOnceWhereTasksMoveOneByOne) {
  small.web().start_first = false;
  small.task(2).node_id = "a";
  small.world.reports["b"].not_ready = {"task-1-0", "task-2-0", "task-3-0"};
  small.node("a").availability = Availability::kPause;
  Stepped run(make_node_drain_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  small.world.reports["b"].not_ready.clear();
  run.step();
  EXPECT_THAT(run.stops(), ElementsAre("task-1-0"));
  small.replaced(1);
  run.step();
  EXPECT_THAT(run.stops(), IsEmpty()) << "the next only when the first one's successor serves";
}

// --- leaving the Swarm

class ManagersTest : public KindsTest {
 protected:
  ManagersTest() {
    for (auto& [id, node] : small.world.snapshot.nodes) {
      node.role = model::Role::kManager;
      node.manager_reachability = "reachable";
    }
  }
};

TEST_F(ManagersTest, RmDemotesBeforeItRemoves) {
  small.world.snapshot.tasks.erase("task-1-0");
  small.world.reports["a"].containers.clear();
  small.node("a").availability = Availability::kDrain;
  Stepped run(make_node_rm_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  EXPECT_THAT(run.claims(), Contains("managers")) << "one manager at a time";
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("make shop-a a worker"));
  small.node("a").role = model::Role::kWorker;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "its raft member is still there";
  small.node("a").manager_reachability.clear();
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("remove node shop-a"));
  small.world.snapshot.nodes.erase("a");
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(ManagersTest, RmRefusesWhatWouldBreakTheQuorum) {
  small.node("b").state = model::NodeState::kDown;
  small.node("b").manager_reachability = "unreachable";
  Stepped run(make_node_rm_kind(), small.world);
  const auto refused = run.begin({{"node", "a"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("there are 2 managers of which 1 would answer"));
  EXPECT_TRUE(run.begin({{"node", "b"}})) << "the dead one may go";
}

TEST_F(ManagersTest, RmRefusesTheOnlyManager) {
  for (const char* id : {"b", "c"}) small.node(id).role = model::Role::kWorker;
  Stepped run(make_node_rm_kind(), small.world);
  EXPECT_THAT(run.begin({{"node", "a"}}).error().message, HasSubstr("only manager"));
}

TEST_F(ManagersTest, TerminateEndsTheMachineAfterItsNodeIsGone) {
  small.with_cloud();
  small.world.snapshot.tasks.erase("task-1-0");
  small.world.reports["a"].containers.clear();
  small.node("a").availability = Availability::kDrain;
  std::erase_if(small.world.cloud->balancer.targets,
                [](const auto& target) { return target.instance_id == "i-a"; });
  small.node("a").role = model::Role::kWorker;
  small.node("a").manager_reachability.clear();
  Stepped run(make_instance_terminate_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "shop-a"}}));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("remove node shop-a"));
  small.world.snapshot.nodes.erase("a");
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("terminate shop-a"));
  small.world.cloud->instances.erase(small.world.cloud->instances.begin());
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(ManagersTest, StoppingAManagerKeepsTheQuorumToo) {
  small.with_cloud();
  Stepped run(make_instance_stop_kind(), small.world);
  EXPECT_TRUE(run.begin({{"instance", "i-a"}}));
  small.node("b").state = model::NodeState::kDown;
  EXPECT_EQ(run.begin({{"instance", "i-a"}}).error().code, Errc::kFailedPrecondition);
  EXPECT_EQ(run.begin({{"instance", "i-x"}}).error().code, Errc::kNotFound);
}

TEST_F(ManagersTest, ADeadNodeIsReapedOnceTheCloudConfirmsIt) {
  small.with_cloud();
  small.node("a").state = model::NodeState::kDown;
  Stepped run(make_node_reap_kind(), small.world);
  EXPECT_THAT(run.kind().propose(small.world, {}), IsEmpty()) << "its instance is there";
  small.world.cloud->instances.erase(small.world.cloud->instances.begin());
  small.world.cloud->has_balancer = false;
  const auto proposed = run.kind().propose(small.world, {});
  ASSERT_EQ(proposed.size(), 1U);
  ASSERT_TRUE(run.begin(proposed[0].request));
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  later(61'000);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("make shop-a a worker"));
}

TEST_F(ManagersTest, TheBalancerLetsADeadNodeGoBeforeItsNodeIsRemoved) {
  small.with_cloud();
  small.node("a").state = model::NodeState::kDown;
  auto& cloud = *small.world.cloud;
  const std::string dead = cloud.instances.front().id;
  cloud.instances.erase(cloud.instances.begin());
  Stepped run(make_node_reap_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "not before it is known to be dead";
  later(61'000);
  // In the balancer's list already, and in the cloud's a moment later.
  cloud.balancer.targets.push_back({"i-new", cloud::TargetHealth::kInitial, 0, ""});
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("take " + dead + " out of the cloud's balancer"));
  std::find_if(cloud.balancer.targets.begin(), cloud.balancer.targets.end(), [&](const auto& one) {
    return one.instance_id == dead;
  })->health = cloud::TargetHealth::kDraining;
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("make shop-a a worker"));
}

TEST_F(ManagersTest, ABalancerThatRefusesHoldsADeadNodeForAMinute) {
  small.with_cloud();
  small.node("a").state = model::NodeState::kDown;
  small.world.cloud->instances.erase(small.world.cloud->instances.begin());
  Stepped run(make_node_reap_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  later(119'000);
  run.step();
  EXPECT_EQ(run.actions().size(), 1U);
  later(2'000);
  run.step();
  EXPECT_THAT(run.actions(), Contains("make shop-a a worker"));
}

// After docker swarm init --force-new-cluster: Swarm makes no worker of a manager that has no
// voice.
TEST_F(ManagersTest, ADeadManagerThatANewBeginningLeftOutIsRemovedAsItIs) {
  small.with_cloud();
  for (const char* id : {"a", "b"}) {
    small.node(id).state = model::NodeState::kDown;
    small.node(id).manager_reachability = "";
  }
  small.world.cloud->instances.erase(small.world.cloud->instances.begin());
  small.world.cloud->has_balancer = false;
  Stepped run(make_node_reap_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  run.step();
  later(61'000);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("remove node shop-a"));
  Stepped other(make_node_rm_kind(), small.world);
  EXPECT_THAT(other.begin({{"node", "c"}}).error().message, HasSubstr("is the only manager"))
      << "those left out are none";
}

TEST_F(ManagersTest, ANodeThatComesBackIsNotReaped) {
  small.with_cloud();
  small.node("a").state = model::NodeState::kDown;
  small.world.cloud->instances.erase(small.world.cloud->instances.begin());
  Stepped run(make_node_reap_kind(), small.world);
  ASSERT_TRUE(run.begin({{"node", "a"}}));
  small.node("a").state = model::NodeState::kReady;
  later(100'000);
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
  small.world.cloud.reset();
  EXPECT_THAT(run.kind().propose(small.world, {}), IsEmpty()) << "no cloud, no confirmation";
}

// --- a canary that was left behind

class StrayCanaryTest : public KindsTest {
 protected:
  StrayCanaryTest() {
    model::Service& canary = small.world.snapshot.services["c"];
    canary.id = "c";
    canary.name = "shop_web-canary";
    canary.replicas = 1;
    canary.labels[kCanaryOfLabel] = "s";
    canary.labels[kRolloutLabel] = "op1.f1";
    small.add_task(1, "a", "canary-task").service_id = "c";
  }
  std::vector<OperationRequest> proposed(const std::vector<OperationRecord>& known = {}) {
    return make_canary_rm_kind()->propose(small.world, known);
  }
  static OperationRecord rollout(const char* id, const char* service) {
    OperationRecord record;
    record.id = id;
    record.kind = "rollout";
    record.request = Json{{"service", service}};
    return record;
  }
};

TEST_F(StrayCanaryTest, IsStoppedAndThenRemoved) {
  Stepped run(make_canary_rm_kind(), small.world);
  ASSERT_EQ(proposed().size(), 1U);
  ASSERT_TRUE(run.begin(proposed().front().request));
  EXPECT_EQ(run.record.subject, "shop_web-canary");
  EXPECT_THAT(run.claims(), ElementsAre("service:c", "service:s"));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("stop the canary shop_web-canary"));
  small.world.snapshot.services["c"].replicas = 0;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "its task still runs";
  small.world.snapshot.tasks.erase("canary-task");
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("remove the canary shop_web-canary"));
  small.world.snapshot.services.erase("c");
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(StrayCanaryTest, IsNoneWhileARolloutOfItGoesOn) {
  EXPECT_THAT(proposed({rollout("op1", "s")}), IsEmpty());
  EXPECT_THAT(proposed({rollout("op2", "s")}), IsEmpty()) << "it replaces the old one";
  EXPECT_EQ(proposed({rollout("op2", "another")}).size(), 1U);
  auto ended = rollout("op1", "s");
  ended.outcome = OperationOutcome::kFailed;
  EXPECT_EQ(proposed({ended}).size(), 1U);
}

TEST_F(StrayCanaryTest, WhatNoRolloutMadeIsNotTouched) {
  small.world.snapshot.services["c"].labels.erase(kRolloutLabel);
  EXPECT_THAT(proposed(), IsEmpty());
}

TEST_F(StrayCanaryTest, ATaskThatDoesNotEndIsNotWaitedForForEver) {
  Stepped run(make_canary_rm_kind(), small.world);
  ASSERT_TRUE(run.begin({{"canary", "c"}}));
  small.world.snapshot.services["c"].replicas = 0;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  later(300'001);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("remove the canary shop_web-canary"));
}

}  // namespace
}  // namespace hive::controller
