#include "decide/placement/rebalance.h"

#include <gtest/gtest.h>

#include "decide/placement/constraints.h"

namespace hive::decide::placement {
namespace {

using model::TaskState;

constexpr std::int64_t kLooked = 1'000'000;

// Three tasks on node a, none on b and c.
class RebalanceTest : public testing::Test {
 protected:
  RebalanceTest() {
    for (const char* id : {"a", "b", "c"}) {
      auto& node = snapshot_.nodes[id];
      node.id = node.hostname = id;
      node.state = model::NodeState::kReady;
    }
    auto& service = snapshot_.services["s"];
    service.id = "s";
    service.name = "web";
    service.replicas = 3;
    service.start_first = true;
    for (std::int64_t slot = 1; slot <= 3; ++slot) {
      auto& task = snapshot_.tasks["t" + std::to_string(slot)];
      task.id = "t" + std::to_string(slot);
      task.service_id = "s";
      task.node_id = "a";
      task.slot = slot;
      task.state = task.desired = TaskState::kRunning;
      task.created_unix_ms = slot;
      facts_[task.id].held = true;
    }
  }
  std::optional<RebalanceMove> move() { return next_move(snapshot_, facts_, kLooked); }
  model::Service& service() { return snapshot_.services["s"]; }

  model::Snapshot snapshot_;
  Facts facts_;
};

TEST_F(RebalanceTest, MovesFromTheFullestToTheEmptiest) {
  const auto found = move();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->task_id, "t3");
  EXPECT_EQ(found->why, "a has 3 tasks of the service and b has 0");
}

TEST_F(RebalanceTest, ADifferenceOfOneIsEven) {
  snapshot_.tasks["t3"].node_id = "b";
  snapshot_.nodes.erase("c");
  EXPECT_FALSE(move());
}

TEST_F(RebalanceTest, EndsWhereItIsEven) {
  int moves = 0;
  while (const auto found = move()) {
    ASSERT_LT(moves, 10);
    snapshot_.tasks[found->task_id].node_id = moves++ == 0 ? "b" : "c";
  }
  EXPECT_EQ(moves, 2);
}

TEST_F(RebalanceTest, OnlyWhenTheClusterIsQuiet) {
  snapshot_.tasks["t1"].state_since_unix_ms = kLooked - kRestMs + 1;
  EXPECT_FALSE(move()) << "a task is new";
  snapshot_.tasks["t1"].state_since_unix_ms = 0;
  service().update_state = "updating";
  EXPECT_FALSE(move());
  service().update_state.clear();
  snapshot_.nodes["b"].state = model::NodeState::kDown;
  EXPECT_FALSE(move());
  snapshot_.nodes["b"].state = model::NodeState::kReady;
  service().replicas = 4;
  EXPECT_FALSE(move()) << "one is missing";
  service().replicas = 3;
  EXPECT_TRUE(move());
}

TEST_F(RebalanceTest, NodesThatConstraintsExcludeDoNotCount) {
  service().constraints = {"node.hostname == a"};
  EXPECT_FALSE(move());
  service().constraints = {"node.hostname != b"};
  ASSERT_TRUE(move());
  EXPECT_EQ(move()->why, "a has 3 tasks of the service and c has 0");
  service().constraints = {"node.platform.os == linux"};
  EXPECT_FALSE(move()) << "it cannot be told";
}

TEST_F(RebalanceTest, OnlyWhatCanSurge) {
  service().start_first = false;
  EXPECT_FALSE(move());
  service().start_first = true;
  facts_["t3"].held = false;
  EXPECT_FALSE(move());
}

TEST_F(RebalanceTest, NodesThatTakeNoTasksDoNotCount) {
  snapshot_.nodes["b"].availability = model::Availability::kPause;
  snapshot_.nodes["c"].availability = model::Availability::kDrain;
  EXPECT_FALSE(move());
}

TEST(ConstraintsTest, AreReadAsSwarmDoes) {
  model::Node node;
  node.id = "n1";
  node.hostname = "Shop-1";
  node.role = model::Role::kManager;
  node.labels["zone"] = "a";
  node.engine_labels["disk"] = "ssd";
  const auto is = [&](const char* constraint) { return admits(node, {constraint}); };
  EXPECT_EQ(is("node.role==manager"), true);
  EXPECT_EQ(is("node.role != manager"), false);
  EXPECT_EQ(is("node.hostname == shop-1"), true) << "case does not count";
  EXPECT_EQ(is("node.labels.zone==b"), false);
  EXPECT_EQ(is("node.labels.rack!=b"), true);
  EXPECT_EQ(is("engine.labels.disk == ssd"), true);
  EXPECT_EQ(is("node.id==n1"), true);
  EXPECT_EQ(is("node.ip==10.0.0.0/8"), std::nullopt);
  EXPECT_EQ(is("nonsense"), std::nullopt);
  EXPECT_EQ(admits(node, {}), true);
}

}  // namespace
}  // namespace hive::decide::placement
