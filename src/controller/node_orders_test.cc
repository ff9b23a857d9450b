#include "controller/node_orders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/order_book.h"

namespace hive::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const MonotonicTime kAsked{std::chrono::hours(1)};

// Service web with tasks t1 on n1 and t2 on n2, both in a table of revision 7 that both edges
// serve.
class NodeOrdersTest : public ::testing::Test {
 protected:
  NodeOrdersTest() {
    for (const char* id : {"n1", "n2"}) {
      model::Node node;
      node.id = id;
      node.hostname = std::string("host-") + id;
      node.state = model::NodeState::kReady;
      snapshot_.nodes[id] = node;
    }
    model::Service service;
    service.id = "s1";
    service.name = "web";
    service.replicas = 2;
    service.stop_grace_ms = 95'000;
    snapshot_.services["s1"] = service;
    for (const auto& [task_id, node_id] : {std::pair{"t1", "n1"}, std::pair{"t2", "n2"}}) {
      model::Task task;
      task.id = task_id;
      task.service_id = "s1";
      task.node_id = node_id;
      task.state = task.desired = model::TaskState::kRunning;
      snapshot_.tasks[task_id] = task;
    }
    snapshot_.taken_at = kAsked;
    table_.revision = 7;
    table_.controller_node_id = "n1";
    model::Backend backend;
    backend.name = "web";
    backend.endpoints = {{"t1", "s1", "n1", "web.1", "10.0.0.1", 1, true},
                         {"t2", "s1", "n2", "web.2", "10.0.0.2", 1, true}};
    table_.backends = {backend};
    for (const char* id : {"n1", "n2"}) {
      AgentSight agent;
      agent.fresh = true;
      agent.report.node_id = id;
      agent.report.controller_node_id = "n1";
      agent.report.revision_applied = 7;
      agents_[id] = agent;
    }
  }
  OrdersInput input() {
    return {snapshot_, table_,
            agents_,   out_since_,
            in_since_, now_,
            floors_,   stops_,
            awaiting_, [](const model::Service&) {
              return ServicePolicies{}; }};
  }
  agent::TaskOrders task(const std::string& task_id, const std::string& node_id) {
    return orders_of(input(), node_id).tasks.at(task_id);
  }
  // t1 is out of the table since its revision 8.
  void take_out() {
    table_.revision = 8;
    table_.backends[0].endpoints.erase(table_.backends[0].endpoints.begin());
    out_since_["t1"] = 8;
  }
  // t3 came for t1, which Swarm has told to stop.
  void update_start_first() {
    auto& service = snapshot_.services["s1"];
    service.update_state = "updating";
    service.start_first = true;
    snapshot_.tasks["t1"].desired = model::TaskState::kShutdown;
    snapshot_.tasks["t3"] = snapshot_.tasks["t2"];
    snapshot_.tasks["t3"].id = "t3";
  }

  model::Snapshot snapshot_;
  model::RoutingTable table_;
  std::map<std::string, AgentSight> agents_;
  std::map<std::string, std::uint64_t> out_since_, floors_;
  std::map<std::string, InTable> in_since_;
  MonotonicTime now_ = kAsked;
  std::vector<agent::StopOrder> stops_;
  std::set<std::string> awaiting_;
};

TEST_F(NodeOrdersTest, ANodeIsToldOfItsOwnTasksAndServices) {
  const auto orders = orders_of(input(), "n1");
  EXPECT_EQ(orders.node_name, "host-n1");
  EXPECT_EQ(orders.tasks.size(), 1U);
  EXPECT_EQ(orders.services.at("s1").name, "web");
  EXPECT_EQ(orders.services.at("s1").grace_ms, 95'000);
}

TEST_F(NodeOrdersTest, ATaskInTheTableIsRoutedByAll) {
  EXPECT_TRUE(task("t1", "n1").routed);
  EXPECT_THAT(task("t1", "n1").edges_behind, ElementsAre("host-n1", "host-n2"));
}

TEST_F(NodeOrdersTest, ATaskIsRoutedUntilEachEdgeHasTheTableWithoutIt) {
  take_out();
  EXPECT_THAT(task("t1", "n1").edges_behind, ElementsAre("host-n1", "host-n2"));
  agents_["n1"].report.revision_applied = 8;
  EXPECT_THAT(task("t1", "n1").edges_behind, ElementsAre("host-n2"));
  agents_["n2"].report.revision_applied = 9;
  EXPECT_FALSE(task("t1", "n1").routed);
}

TEST_F(NodeOrdersTest, AnEdgeThatIsSilentOrServesAnotherControllersTableIsBehind) {
  take_out();
  agents_["n1"].report.revision_applied = 8;
  agents_["n2"].report.revision_applied = 8;
  agents_["n2"].fresh = false;
  EXPECT_THAT(task("t1", "n1").edges_behind, ElementsAre("host-n2"));
  agents_["n2"].fresh = true;
  agents_["n2"].report.controller_node_id = "n3";
  EXPECT_THAT(task("t1", "n1").edges_behind, ElementsAre("host-n2"));
  snapshot_.nodes["n2"].state = model::NodeState::kDown;
  EXPECT_THAT(task("t1", "n1").edges_behind, ElementsAre("host-n2")) << "its agent is heard";
  agents_["n2"].fresh = false;
  EXPECT_FALSE(task("t1", "n1").routed) << "a node that nobody hears from sends nothing";
}

TEST_F(NodeOrdersTest, OnlyAStartFirstUpdateAwaitsReplacements) {
  auto& service = snapshot_.services["s1"];
  snapshot_.tasks["t1"].desired = model::TaskState::kShutdown;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "a scale-in";
  service.update_state = "updating";
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "stop-first: the new one waits for the old";
  service.start_first = true;
  EXPECT_TRUE(task("t1", "n1").await_replacement);
  snapshot_.tasks["t3"] = snapshot_.tasks["t2"];
  snapshot_.tasks["t3"].id = "t3";
  EXPECT_FALSE(task("t1", "n1").await_replacement);
  agents_["n1"].report.not_ready = {"t3"};
  EXPECT_TRUE(task("t1", "n1").await_replacement) << "an edge does not send to the new one yet";
}

TEST_F(NodeOrdersTest, AReplacementIsReadyOnceEachEdgeWasToldOfIt) {
  update_start_first();
  in_since_["t3"] = {8, kAsked};
  EXPECT_TRUE(task("t1", "n1").await_replacement) << "both edges have the revision before";
  agents_["n1"].report.revision_applied = 8;
  EXPECT_TRUE(task("t1", "n1").await_replacement) << "one has";
  agents_["n2"].report.revision_applied = 9;
  EXPECT_FALSE(task("t1", "n1").await_replacement);
  agents_["n2"].report.controller_node_id = "n3";
  EXPECT_TRUE(task("t1", "n1").await_replacement) << "it serves another controller's table";
  agents_["n2"].fresh = false;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "nobody hears of that edge";
  agents_["n2"].fresh = true;
  now_ = kAsked + Milliseconds(2'999);
  EXPECT_TRUE(task("t1", "n1").await_replacement);
  now_ = kAsked + Milliseconds(3'000);
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "an edge that takes no table holds nobody";
}

TEST_F(NodeOrdersTest, ATaskThatSwarmTookForLostAwaitsTheOneInItsPlace) {
  auto& service = snapshot_.services["s1"];
  service.start_first = true;
  auto& old = snapshot_.tasks["t1"];
  old.slot = 1;
  old.desired = model::TaskState::kShutdown;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "nothing is in its place: a scale-in";
  auto& next = snapshot_.tasks["t3"] = snapshot_.tasks["t2"];
  next.id = "t3";
  next.slot = 1;
  next.state = model::TaskState::kStarting;
  EXPECT_TRUE(task("t1", "n1").await_replacement);
  next.desired = model::TaskState::kReady;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "that one waits for this one's end";
  next.desired = model::TaskState::kRunning;
  next.slot = 2;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "another replica";
  next.slot = 1;
  service.storage_by_slot = true;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "two of a slot write one storage";
  service.storage_by_slot = false;
  service.start_first = false;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "it stops first";
  service.start_first = true;
  next.state = model::TaskState::kRunning;
  EXPECT_FALSE(task("t1", "n1").await_replacement);
}

TEST_F(NodeOrdersTest, ARollbackAwaitsReplacementsWhereItsOwnOrderIsStartFirst) {
  auto& service = snapshot_.services["s1"];
  snapshot_.tasks["t1"].desired = model::TaskState::kShutdown;
  service.update_state = "rollback_started";
  service.start_first = true;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "the rollback stops first";
  service.rollback_start_first = true;
  EXPECT_TRUE(task("t1", "n1").await_replacement);
  service.start_first = false;
  EXPECT_TRUE(task("t1", "n1").await_replacement);
}

TEST_F(NodeOrdersTest, AFloorIsAwaitedWhoeverSetsIt) {
  floors_["s1"] = 3;
  EXPECT_TRUE(task("t1", "n1").await_replacement);
  floors_["s1"] = 2;
  EXPECT_FALSE(task("t1", "n1").await_replacement);
  agents_["n2"].report.leaving = {"t2"};
  EXPECT_TRUE(task("t1", "n1").await_replacement) << "the other one leaves";
}

TEST_F(NodeOrdersTest, AnOperationMayHoldOneTask) {
  EXPECT_FALSE(task("t1", "n1").await_replacement);
  awaiting_ = {"t1"};
  EXPECT_TRUE(task("t1", "n1").await_replacement);
}

TEST_F(NodeOrdersTest, OnANodeThatSomebodyDrainsASecondInstanceIsAwaited) {
  snapshot_.nodes["n1"].availability = model::Availability::kDrain;
  auto& service = snapshot_.services["s1"];
  service.replicas = 2;
  snapshot_.tasks["t1"].desired = model::TaskState::kShutdown;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "stop-first: never two";
  service.start_first = true;
  EXPECT_TRUE(task("t1", "n1").await_replacement);
  service.storage_by_slot = true;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "only its own slot has its data";
  service.storage_by_slot = false;
  service.replicas = 1;
  EXPECT_FALSE(task("t1", "n1").await_replacement) << "the others are enough";
}

TEST_F(NodeOrdersTest, StopOrdersGoToTheTasksNode) {
  stops_ = {{"o1", "t1", "scale-in", "least loaded", false}};
  EXPECT_EQ(orders_of(input(), "n1").stops.size(), 1U);
  EXPECT_THAT(orders_of(input(), "n2").stops, IsEmpty());
}

TEST_F(NodeOrdersTest, AStopIsToldInPlainWords) {
  model::StopRecord record;
  record.by = "scale-in";
  record.reason = "least loaded";
  record.started_unix_ms = 1'000;
  record.ended_unix_ms = 3'300;
  record.took_ms[static_cast<std::size_t>(model::StopStep::kDraining)] = 1'900;
  record.connections_at_start = 3;
  record.bytes_delivered = 1'024;
  record.given_up = {"1 connection was still open after 30 s"};
  EXPECT_EQ(stop_sentence(record, 5),
            "scale-in (least loaded); 2.3 s: draining 1.9 s; 3 connections were open when it "
            "began; 5 requests finished; 1024 log bytes are safe; given up: 1 connection was still "
            "open after 30 s");
}

// --- what was told, and when again

class OrderBookTest : public NodeOrdersTest {
 protected:
  OrderBookTest() { book_.published(table_, kAsked); }
  std::optional<agent::NodeOrders> due(MonotonicTime now) {
    return book_.due("n1", snapshot_, table_, agents_, now);
  }
  agent::Report stopping(model::StopStep step) {
    agent::Report report;
    report.node_id = "n1";
    model::StopRecord stop;
    stop.container_id = "c1";
    stop.task_id = "t1";
    stop.step = step;
    report.stops = {stop};
    return report;
  }
  OrderBook book_;
};

TEST_F(OrderBookTest, TheSameIsNotToldTwiceButToAStreamThatIsNew) {
  ASSERT_TRUE(due(kAsked));
  EXPECT_FALSE(due(kAsked + std::chrono::minutes(1)));
  book_.forget("n1");
  EXPECT_TRUE(due(kAsked + std::chrono::minutes(1)));
}

TEST_F(OrderBookTest, AnAgentInTheMiddleOfAStopHearsThatItsControllerLives) {
  book_.heard(stopping(model::StopStep::kDraining), kAsked);
  ASSERT_TRUE(due(kAsked));
  EXPECT_FALSE(due(kAsked + Milliseconds(500)));
  EXPECT_TRUE(due(kAsked + Milliseconds(1'000)));
}

TEST_F(OrderBookTest, AStopIsKnownOnceSwarmWasLookedAtAfterItWasHeardOf) {
  book_.heard(stopping(model::StopStep::kClaimed), kAsked + Milliseconds(10));
  EXPECT_THAT(due(kAsked)->known, IsEmpty());
  snapshot_.taken_at = kAsked + Milliseconds(20);
  EXPECT_THAT(due(kAsked + Milliseconds(20))->known, ElementsAre("c1"));
}

TEST_F(OrderBookTest, AnEndIsRecordedOnceAndAcknowledged) {
  EXPECT_THAT(book_.heard(stopping(model::StopStep::kFlushing), kAsked), IsEmpty());
  EXPECT_EQ(book_.heard(stopping(model::StopStep::kDone), kAsked).size(), 1U);
  EXPECT_THAT(book_.heard(stopping(model::StopStep::kDone), kAsked), IsEmpty());
  EXPECT_THAT(due(kAsked)->recorded, ElementsAre("c1"));
}

TEST_F(OrderBookTest, ATaskThatComesBackIntoTheTableIsRoutedAgain) {
  const model::RoutingTable with = table_;
  table_.revision = 8;
  table_.backends[0].endpoints.erase(table_.backends[0].endpoints.begin());
  book_.published(table_, kAsked);
  for (auto& [id, agent] : agents_) agent.report.revision_applied = 8;
  EXPECT_FALSE(due(kAsked)->tasks.at("t1").routed);
  table_ = with;
  table_.revision = 9;
  book_.published(table_, kAsked);
  EXPECT_TRUE(due(kAsked)->tasks.at("t1").routed);
}

TEST_F(OrderBookTest, ANewTaskCountsFromTheTableThatNamedItFirst) {
  update_start_first();
  const auto later = kAsked + std::chrono::minutes(1);  // than what was there from the begin
  table_.backends[0].endpoints.push_back({"t3", "s1", "n2", "web.3", "10.0.0.3", 1, true});
  table_.revision = 8;
  book_.published(table_, later);
  table_.revision = 9;
  book_.published(table_, later);
  EXPECT_TRUE(due(later)->tasks.at("t1").await_replacement);
  for (auto& [id, agent] : agents_) agent.report.revision_applied = 8;
  EXPECT_FALSE(due(later)->tasks.at("t1").await_replacement);
}

}  // namespace
}  // namespace hive::controller
