#include "agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/testing/fake_hands.h"

namespace hive::agent {
namespace {

using decide::drain::InitState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FakeEdge final : public edge::Edge {
 public:
  Status apply(const model::RoutingTable& table) override {
    tasks.clear();
    for (const auto& backend : table.backends)
      for (const auto& endpoint : backend.endpoints) tasks.push_back(endpoint.task_id);
    ++applied;
    return answer;
  }
  Status drain(const std::string& task_id) override {
    drained.push_back(task_id);
    return {};
  }
  Result<model::EdgeStats> stats() override {
    model::EndpointStats one;
    one.task_id = "t2";
    one.in_flight = in_flight;
    return model::EdgeStats{{one}, {{"web", 0, queued}}};
  }
  Status readmit(const std::string& task_id) override {
    readmitted.push_back(task_id);
    return {};
  }
  Status set_leaving(bool now) override {
    leaving = now;
    return {};
  }
  Status keep_alive() override { return {}; }
  std::vector<std::string> not_ready() const override { return {}; }
  std::vector<std::string> faults() const override { return parts; }
  Status shutdown() override { return {}; }

  Status answer;
  std::vector<std::string> parts;  // not served
  int applied = 0;
  bool leaving = false;
  std::uint32_t in_flight = 0;
  std::uint32_t queued = 0;
  std::vector<std::string> tasks, drained, readmitted;
};

class AgentTest : public ::testing::Test {
 protected:
  AgentTest()
      : stops_({}, hands_, clock_),
        agent_({.node_id = "n1",
                .table_file = "",
                .send = [this](Report report) { reports_.push_back(std::move(report)); }},
               edge_, stops_, mailbox_, clock_) {}

  void turn() {
    clock_.advance(Milliseconds(20));
    agent_.turn(Milliseconds(0));
  }
  static model::RoutingTable table(std::uint64_t revision) {
    model::RoutingTable out;
    out.revision = revision;
    out.controller_node_id = "m1";
    model::Backend backend;
    backend.name = "web";
    backend.endpoints = {{"t1", "s1", "n1", "web.1", "10.0.0.1", 1, true},
                         {"t2", "s1", "n2", "web.2", "10.0.0.2", 1, true}};
    out.backends = {backend};
    return out;
  }

  ManualClock clock_;
  FakeHands hands_;
  FakeEdge edge_;
  Mailbox mailbox_;
  Stops stops_;
  std::vector<Report> reports_;
  Agent agent_;
};

TEST_F(AgentTest, ATableIsAppliedAndSaidAtOnce) {
  mailbox_.post_table(table(5));
  turn();
  EXPECT_THAT(edge_.tasks, ElementsAre("t1", "t2"));
  ASSERT_FALSE(reports_.empty());
  EXPECT_EQ(reports_.back().revision_applied, 5U);
}

// So that a controller's look, soon after, has what all agents saw at one moment.
TEST_F(AgentTest, ReportsAtWholeSecondsOfTheWallClock) {
  clock_.jump_wall(Milliseconds(300));
  turn();
  EXPECT_THAT(reports_, ::testing::SizeIs(1)) << "its first at once";
  clock_.advance(Milliseconds(640));
  turn();
  EXPECT_THAT(reports_, ::testing::SizeIs(1)) << "20 ms before the second";
  turn();
  EXPECT_THAT(reports_, ::testing::SizeIs(2));
  clock_.advance(Milliseconds(960));
  turn();
  EXPECT_THAT(reports_, ::testing::SizeIs(2));
  turn();
  EXPECT_THAT(reports_, ::testing::SizeIs(3));
}

TEST_F(AgentTest, ReportsWhichInitItsEngineHas) {
  mailbox_.post_engine_init("hive-init");
  turn();
  mailbox_.post_containers({});  // and keeps it
  clock_.advance(Milliseconds(1'000));
  turn();
  EXPECT_EQ(reports_.back().engine_init, "hive-init");
}

TEST_F(AgentTest, ATableThatTheEdgeRefusesIsNotSaidToBeApplied) {
  edge_.answer = fail(Errc::kUnavailable, "HAProxy is gone");
  mailbox_.post_table(table(5));
  turn();
  clock_.advance(Milliseconds(1'000));
  turn();
  EXPECT_EQ(reports_.back().revision_applied, 0U);
  EXPECT_THAT(reports_.back().edge, testing::HasSubstr("HAProxy is gone"));
}

TEST_F(AgentTest, APartThatIsNotServedIsSaidAndTheRestIsApplied) {
  edge_.parts = {"listener 443: certificate /c.pem: broken"};
  mailbox_.post_table(table(5));
  turn();
  EXPECT_EQ(reports_.back().revision_applied, 5U);
  EXPECT_THAT(reports_.back().edge, testing::HasSubstr("listener 443"));
  edge_.parts.clear();
  mailbox_.post_table(table(6));
  turn();
  EXPECT_EQ(reports_.back().revision_applied, 6U);
  EXPECT_EQ(reports_.back().edge, "ok");
}

TEST_F(AgentTest, ATaskBeingStoppedLeavesTheEdgeWithoutAnyControllersWord) {
  mailbox_.post_table(table(5));
  mailbox_.post_running({a_container()});
  turn();
  hands_.become(InitState::kClaimed, "claimed");
  mailbox_.post_event({"t1", "c1", "kill 15", 0});
  turn();
  turn();
  EXPECT_THAT(edge_.tasks, ElementsAre("t2"));
  EXPECT_THAT(reports_.back().leaving, ElementsAre("t1"));
  mailbox_.post_table(table(6));  // a controller that has not heard of it yet
  turn();
  EXPECT_THAT(edge_.tasks, ElementsAre("t2"));
}

TEST_F(AgentTest, AHeldKillDrainsNothingAnUnheldOneAtOnce) {
  mailbox_.post_table(table(5));
  mailbox_.post_running({a_container()});
  turn();
  mailbox_.post_event({"t1", "c1", "kill 15", 0});
  turn();
  EXPECT_THAT(edge_.drained, IsEmpty());
  hands_.sight = {.ours = false, .description = "tini"};
  clock_.advance(Milliseconds(1'000));
  turn();
  mailbox_.post_event({"t1", "c1", "kill 15", 0});
  turn();
  EXPECT_THAT(edge_.drained, ElementsAre("t1"));
}

TEST_F(AgentTest, SignalsThatDoNotAskToEndAreNoStops) {
  mailbox_.post_table(table(5));
  turn();
  for (const char* action : {"kill 1", "kill 10", "kill 12", "start", "exec_start: x"})
    mailbox_.post_event({"t1", "c1", action, 0});
  turn();
  EXPECT_THAT(edge_.drained, IsEmpty());
  mailbox_.post_event({"t1", "c1", "die", 0});
  turn();
  EXPECT_THAT(edge_.drained, ElementsAre("t1"));
}

TEST_F(AgentTest, NotesAreReportedOnce) {
  mailbox_.post_note({"log_destination_fault", "/mnt/logs", "No space left on device"});
  turn();
  ASSERT_EQ(reports_.back().notes.size(), 1U);
  clock_.advance(Milliseconds(1'000));
  turn();
  EXPECT_THAT(reports_.back().notes, IsEmpty());
}

// The turns of a machine's shutdown until the agent has nothing more to wait for, 120 s at most.
class DepartureTest : public AgentTest {
 protected:
  DepartureTest() {
    mailbox_.post_table(table(5));
    mailbox_.post_running({a_container()});
    turn();
  }
  Milliseconds departs_after() {
    const MonotonicTime begun = clock_.now();
    while (!agent_.departed() && clock_.now() < begun + Milliseconds(120'000)) {
      turn();
      // The application ends as it is told.
      if (hands_.sight.state == InitState::kStopping)
        hands_.become(InitState::kFlushing, "flushing");
    }
    return std::chrono::duration_cast<Milliseconds>(clock_.now() - begun);
  }
  NodeOrders orders(bool schedulable) {
    NodeOrders out;
    out.schedulable = schedulable;
    out.services["s1"] = {"web", {}, {}, 125'000};
    out.tasks["t1"] = {"s1", 1, true, false, true, {}};
    return out;
  }
};

TEST_F(DepartureTest, WithoutAControllerItStopsItsTasksAndLeavesTheBalancer) {
  agent_.depart(Milliseconds(60'000));
  turn();
  EXPECT_TRUE(edge_.leaving);
  EXPECT_GT(reports_.back().departs_in_ms, 0);
  turn();
  ASSERT_EQ(hands_.stops.size(), 1U);
  EXPECT_TRUE(hands_.stops[0].first) << "held: the stop sequence runs";
  EXPECT_LT(departs_after(), Milliseconds(60'000));
  EXPECT_EQ(hands_.released, 1);
  ASSERT_FALSE(reports_.back().notes.empty());
  EXPECT_THAT(reports_.back().notes[0].reason, testing::HasSubstr("no controller answers"));
}

TEST_F(DepartureTest, AControllerThatDrainsTheNodeIsLeftToIt) {
  mailbox_.post_orders(orders(true));
  turn();
  agent_.depart(Milliseconds(60'000));
  for (int i = 0; i < 500; ++i) {
    if (i % 40 == 0) mailbox_.post_orders(orders(i < 100));
    turn();
  }
  EXPECT_FALSE(agent_.departed());
  EXPECT_THAT(hands_.stops, IsEmpty());
  hands_.become(InitState::kGone, "gone");  // drained
  mailbox_.post_running({});
  EXPECT_LE(departs_after(), Milliseconds(1'000));
  EXPECT_THAT(reports_.back().notes, IsEmpty());
}

TEST_F(DepartureTest, OpenRequestsAtTheEdgeAreWaitedForAndSaidWhenCut) {
  hands_.become(InitState::kGone, "gone");
  mailbox_.post_running({});
  edge_.in_flight = 3;
  edge_.queued = 2;  // wait for a task
  agent_.depart(Milliseconds(30'000));
  EXPECT_GE(departs_after(), Milliseconds(29'000));
  ASSERT_FALSE(reports_.back().notes.empty());
  EXPECT_THAT(reports_.back().notes.back().reason, testing::HasSubstr("5 requests still open"));
}

}  // namespace
}  // namespace hive::agent
