#include "decide/placement/move_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::decide::placement {
namespace {

using testing::HasSubstr;

// Three nodes; the service has a task on each of the first two; the first is being emptied.
class MoveRuleTest : public testing::Test {
 protected:
  MoveRuleTest() {
    for (const char* id : {"a", "b", "c"}) {
      model::Node node;
      node.id = node.hostname = id;
      node.state = model::NodeState::kReady;
      snapshot_.nodes[id] = node;
    }
    snapshot_.nodes["a"].availability = model::Availability::kPause;
    service_.id = service_.name = "web";
    service_.replicas = 2;
    service_.start_first = true;
    for (std::int64_t number : {1, 2}) {
      Slot slot;
      slot.number = number;
      slot.state = SlotState::kRunning;
      slot.node_id = number == 1 ? "a" : "b";
      slots_.push_back(slot);
    }
  }
  MoveRule rule(bool holds = true) { return move_rule(snapshot_, service_, slots_, {1}, holds); }
  void expect(MoveWay way, const std::string& why, bool holds = true) {
    EXPECT_EQ(rule(holds).way, way) << rule(holds).why;
    EXPECT_THAT(rule(holds).why, HasSubstr(why));
  }

  model::Snapshot snapshot_;
  model::Service service_;
  std::vector<Slot> slots_;
};

TEST_F(MoveRuleTest, SurgesWhereItCan) { EXPECT_EQ(rule(), MoveRule{}); }

TEST_F(MoveRuleTest, AGlobalOneEndsWithItsNode) {
  service_.global = true;
  expect(MoveWay::kWithNode, "it is global");
}

TEST_F(MoveRuleTest, OneThatIsNotHeldIsLeftToSwarm) {
  expect(MoveWay::kWithNode, "not held", false);
}

TEST_F(MoveRuleTest, AStopFirstOneNeverHasTwo) {
  service_.start_first = false;
  expect(MoveWay::kOneByOne, "stop-first");
}

TEST_F(MoveRuleTest, StorageNamedByTheSlotStaysWithIt) {
  service_.storage_by_slot = true;
  expect(MoveWay::kOneByOne, "storage");
}

TEST_F(MoveRuleTest, AShortRestartDelayCannotBeTakenBackExactly) {
  service_.restart_delay_ms = 1'000;
  expect(MoveWay::kOneByOne, "restart delay");
  service_.restart_condition = "none";
  EXPECT_EQ(rule().way, MoveWay::kSurge);
}

TEST_F(MoveRuleTest, FixedHostPortsNeedANodeThatIsFreeOfThem) {
  model::Port port;
  port.mode = model::PublishMode::kHost;
  port.published = 53;
  service_.ports = {port};
  EXPECT_EQ(rule().way, MoveWay::kSurge) << "node c is free";
  snapshot_.nodes["c"].availability = model::Availability::kDrain;
  expect(MoveWay::kOneByOne, "ports on the nodes are fixed");
}

TEST_F(MoveRuleTest, HostPortsThatTheEngineChoosesAreNoBound) {
  model::Port port;
  port.mode = model::PublishMode::kHost;
  service_.ports = {port};
  snapshot_.nodes.erase("c");
  EXPECT_EQ(rule().way, MoveWay::kSurge);
}

TEST_F(MoveRuleTest, MaxReplicasPerNodeLeavesRoomOrNot) {
  service_.max_per_node = 1;
  EXPECT_EQ(rule().way, MoveWay::kSurge);
  snapshot_.nodes["c"].state = model::NodeState::kDown;
  expect(MoveWay::kOneByOne, "max_replicas_per_node");
  service_.max_per_node = 2;
  EXPECT_EQ(rule().way, MoveWay::kSurge);
}

}  // namespace
}  // namespace hive::decide::placement
