// Instances that the cloud holds: new ones until they can serve, ending ones until they are empty.
#include <gmock/gmock.h>

#include "controller/instance_end_kind.h"
#include "controller/instance_ready_kind.h"
#include "controller/testing/small_world.h"

namespace hive::controller {
namespace {

using cloud::Hold;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SmallWorld;
using testing::Stepped;

class InstanceHoldTest : public ::testing::Test {
 protected:
  InstanceHoldTest() { small.with_cloud(); }
  cloud::Instance& instance(const std::string& node) {
    for (auto& one : small.world.cloud->instances)
      if (one.id == "i-" + node) return one;
    throw std::out_of_range(node);
  }
  void gone(const std::string& node) {
    std::erase_if(small.world.cloud->instances,
                  [&](const auto& one) { return one.id == "i-" + node; });
  }
  void empty_node(const std::string& id, std::int64_t slot) {
    small.node(id).availability = model::Availability::kDrain;
    small.world.snapshot.tasks.erase(SmallWorld::task_id(slot));
    small.world.reports[id].containers.clear();
    std::erase_if(small.world.cloud->balancer.targets,
                  [&](const auto& target) { return target.instance_id == "i-" + id; });
  }

  SmallWorld small;
};

// --- launching

TEST_F(InstanceHoldTest, ANewInstanceCountsOnceItsNodeIsReadyAndItsAgentReports) {
  instance("c").hold = Hold::kLaunching;
  Stepped run(make_instance_ready_kind(), small.world);
  const auto proposed = run.kind().propose(small.world, {});
  ASSERT_EQ(proposed.size(), 1U);
  ASSERT_TRUE(run.begin(proposed[0].request));
  const auto node = small.world.snapshot.nodes.extract("c");
  const auto report = small.world.reports.extract("c").mapped();
  run.step();
  EXPECT_THAT(run.last.progress.doing, HasSubstr("joined the Swarm"));
  small.world.snapshot.nodes["c"] = node.mapped();
  small.node("c").state = model::NodeState::kDown;
  run.step();
  EXPECT_THAT(run.last.progress.doing, HasSubstr("node is ready"));
  small.node("c").state = model::NodeState::kReady;
  run.step();
  EXPECT_THAT(run.last.progress.doing, HasSubstr("agent reports"));
  EXPECT_THAT(run.actions(), IsEmpty());
  small.world.reports["c"] = report;
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("put shop-c into service"));
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "the cloud's list is a moment old";
  small.world.now_unix_ms += 30'000;
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("put shop-c into service")) << "it was not heard";
  instance("c").hold = Hold::kNone;
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
  EXPECT_THAT(run.kind().propose(small.world, {}), IsEmpty());
}

TEST_F(InstanceHoldTest, ANewInstanceThatEndsIsAFailure) {
  instance("c").hold = Hold::kLaunching;
  Stepped run(make_instance_ready_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-c"}}));
  gone("c");
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kFailed);
}

TEST_F(InstanceHoldTest, WithoutTheCloudsWordNothingIsDecided) {
  instance("c").hold = Hold::kLaunching;
  Stepped run(make_instance_ready_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-c"}}));
  small.world.cloud.reset();
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kRunning);
  EXPECT_THAT(run.actions(), IsEmpty());
}

TEST_F(InstanceHoldTest, ANewInstanceThatDoesNotJoinInTimeIsGivenUp) {
  instance("c").hold = Hold::kLaunching;
  small.world.settings.workers.join_timeout_ms = 5'000;
  Stepped run(make_instance_ready_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-c"}}));
  small.node("c").state = model::NodeState::kDown;
  small.world.now_unix_ms += 600'000;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "what it needs may take minutes to install";
  small.world.now_unix_ms += 1'000;
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("give up shop-c"));
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty()) << "the cloud's list is a moment old";
  instance("c").membership = cloud::Membership::kEnding;
  instance("c").hold = Hold::kEnding;
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kFailed);
}

TEST_F(InstanceHoldTest, ANewInstanceWithAReadyNodeIsNeverGivenUp) {
  instance("c").hold = Hold::kLaunching;
  Stepped run(make_instance_ready_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-c"}}));
  small.world.reports.erase("c");
  small.world.now_unix_ms += 6'000'000;
  run.step();
  EXPECT_THAT(run.actions(), IsEmpty());
  EXPECT_THAT(run.last.progress.doing, HasSubstr("agent reports"));
}

// --- its images

constexpr const char* kWeb = "r.example.org/web:1@sha256:0a";
constexpr const char* kApi = "r.example.org/api:1@sha256:0b";

class ImagesTest : public InstanceHoldTest {
 protected:
  ImagesTest() : run(make_instance_ready_kind(), small.world) {
    instance("c").hold = Hold::kLaunching;
    small.web().image = kWeb;
    add_service("api", kApi);
    small.world.reports["c"].pulls_images = true;
    EXPECT_TRUE(run.begin({{"instance", "i-c"}}));
  }
  model::Service& add_service(const std::string& id, const std::string& image) {
    model::Service& out = small.world.snapshot.services[id];
    out.id = id;
    out.name = "shop_" + id;
    out.image = image;
    out.replicas = 1;
    return out;
  }
  void tell(const std::string& image, agent::PullState state, std::int64_t tries = 0) {
    auto& pulls = small.world.reports["c"].pulls;
    std::erase_if(pulls, [&](const auto& one) { return one.image == image; });
    pulls.push_back({image, state, tries, state == agent::PullState::kFailed ? "denied" : ""});
  }
  bool let_in() { return !run.step().actions.empty(); }
  std::vector<std::string> wanted() { return run.last.pulls["c"]; }

  Stepped run;
};

TEST_F(ImagesTest, ANewInstanceServesOnceItsImagesAreThere) {
  EXPECT_FALSE(let_in());
  EXPECT_THAT(wanted(), ElementsAre(kApi, kWeb));
  EXPECT_THAT(run.last.progress.doing, HasSubstr(kApi));
  tell(kApi, agent::PullState::kPulled);
  tell(kWeb, agent::PullState::kPulling);
  EXPECT_FALSE(let_in());
  EXPECT_THAT(run.last.progress.doing, ::testing::Not(HasSubstr(kApi)));
  EXPECT_EQ(run.last.progress.done, 1U);
  tell(kWeb, agent::PullState::kPulled);
  EXPECT_TRUE(let_in());
  EXPECT_THAT(run.actions(), ElementsAre("put shop-c into service"));
  EXPECT_THAT(run.last.notes, IsEmpty());
  // What comes later is not waited for.
  add_service("late", "late:1");
  run.step();
  EXPECT_THAT(run.last.pulls, IsEmpty());
}

TEST_F(ImagesTest, OnlyOfServicesThatMayRunThere) {
  add_service("managers", "m:1").constraints = {"node.role==manager"};
  add_service("labelled", "l:1").constraints = {"node.labels.zone==a"};
  add_service("none", "n:1").replicas = 0;
  auto& everywhere = add_service("global", "g:1");
  everywhere.global = true;
  everywhere.replicas = 0;
  add_service("unknown", "u:1").constraints = {"node.platform.os==linux"};
  run.step();
  EXPECT_THAT(wanted(), ElementsAre("g:1", kApi, kWeb, "u:1"));
}

TEST_F(ImagesTest, WhatCannotBeFetchedDoesNotHoldForEverAndIsSaid) {
  tell(kWeb, agent::PullState::kPulled);
  tell(kApi, agent::PullState::kFailed, 2);
  EXPECT_FALSE(let_in());
  tell(kApi, agent::PullState::kFailed, 3);
  EXPECT_TRUE(let_in());
  EXPECT_THAT(run.last.notes, Contains(HasSubstr(std::string(kApi) + ": denied")));
  run.step();
  EXPECT_THAT(run.last.notes, IsEmpty()) << "once";
}

TEST_F(ImagesTest, WhatTakesTooLongIsSaidAndNotWaitedFor) {
  tell(kWeb, agent::PullState::kPulled);
  tell(kApi, agent::PullState::kPulling);
  EXPECT_FALSE(let_in());
  small.world.now_unix_ms += kImagesMs - 1;
  EXPECT_FALSE(let_in());
  small.world.now_unix_ms += 1;
  EXPECT_TRUE(let_in());
  EXPECT_THAT(run.last.notes, Contains(HasSubstr("has not fetched in 5m")));
}

TEST_F(ImagesTest, AnOlderAgentIsNotWaitedFor) {
  small.world.reports["c"].pulls_images = false;
  EXPECT_TRUE(let_in());
  EXPECT_THAT(run.last.pulls, IsEmpty());
  EXPECT_THAT(run.last.notes, Contains(HasSubstr("older version")));
}

TEST_F(ImagesTest, AnotherControllerGoesOnWaiting) {
  EXPECT_FALSE(let_in());
  Stepped other(make_instance_ready_kind(), small.world);
  other.record = run.record;
  other.step();
  EXPECT_EQ(other.last.pulls["c"].size(), 2U) << "the orders are in memory alone: given again";
}

// --- ending

TEST_F(InstanceHoldTest, AnInstanceThatTheCloudEndsIsEmptiedFirst) {
  instance("a").hold = Hold::kEnding;
  Stepped run(make_instance_leave_kind(), small.world);
  const auto proposed = run.kind().propose(small.world, {});
  ASSERT_EQ(proposed.size(), 1U);
  ASSERT_TRUE(run.begin(proposed[0].request));
  EXPECT_THAT(run.kind().propose(small.world, {run.record}), IsEmpty());
  run.step();
  EXPECT_THAT(run.actions(), Contains("set node shop-a to pause"));
  EXPECT_THAT(run.actions(), Contains("scale shop_web from 3 to 4"));
  empty_node("a", 1);
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("remove node shop-a"));
  small.world.snapshot.nodes.erase("a");
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("let the cloud end shop-a"));
  gone("a");
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(InstanceHoldTest, ItIsKeptWhileItIsEmptied) {
  instance("a").hold = Hold::kEnding;
  Stepped run(make_instance_leave_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-a"}, {"timeout_ms", 3'600'000}}));
  const auto kept = [&] {
    run.step();
    const auto all = run.actions();
    return std::count(all.begin(), all.end(), "keep shop-a while it is emptied");
  };
  EXPECT_EQ(kept(), 0);
  small.world.now_unix_ms += 300'000;
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(kept(), 0);
  small.world.now_unix_ms += 300'000;
  EXPECT_EQ(kept(), 1);
}

TEST_F(InstanceHoldTest, ADeadInstanceIsLetGoAtOnce) {
  instance("a").hold = Hold::kEnding;
  small.node("a").state = model::NodeState::kDown;
  small.node("a").availability = model::Availability::kDrain;
  Stepped run(make_instance_leave_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-a"}}));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("remove node shop-a"));
  small.world.snapshot.nodes.erase("a");
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("let the cloud end shop-a"));
}

TEST_F(InstanceHoldTest, OneThatNeverJoinedIsLetGoAtOnce) {
  instance("a").hold = Hold::kEnding;
  small.world.snapshot.nodes.erase("a");
  Stepped run(make_instance_leave_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-a"}}));
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("let the cloud end shop-a"));
}

TEST_F(InstanceHoldTest, AHoldThatRanOutEndsTheOperationToo) {
  instance("a").hold = Hold::kEnding;
  small.world.snapshot.nodes.erase("a");
  Stepped run(make_instance_leave_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "i-a"}}));
  gone("a");
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

TEST_F(InstanceHoldTest, HivesOwnVictimIsLetThroughItsGroupsHook) {
  Stepped run(make_instance_terminate_kind(), small.world);
  ASSERT_TRUE(run.begin({{"instance", "shop-a"}}));
  empty_node("a", 1);
  small.world.snapshot.nodes.erase("a");
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("terminate shop-a"));
  instance("a").hold = Hold::kEnding;
  EXPECT_THAT(make_instance_leave_kind()->propose(small.world, {run.record}), IsEmpty())
      << "it is at work already";
  run.step();
  EXPECT_THAT(run.actions(), ElementsAre("let the cloud end shop-a"));
  gone("a");
  run.step();
  EXPECT_EQ(run.last.outcome, OperationOutcome::kSucceeded);
}

}  // namespace
}  // namespace hive::controller
