#include "decide/placement/rebalance.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

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

TEST_F(RebalanceTest, ANodeWithoutRoomIsNoPlace) {
  service().reserved_memory_bytes = 1 << 20;
  snapshot_.nodes["b"].memory_bytes = (1 << 20) - 1;
  ASSERT_TRUE(move());
  EXPECT_EQ(move()->why, "a has 3 tasks of the service and c has 0");
  snapshot_.nodes["c"].memory_bytes = (1 << 20) - 1;
  EXPECT_FALSE(move());
}

TEST_F(RebalanceTest, WhatDidNotHelpIsNotDoneAgain) {
  const auto first = move();
  ASSERT_TRUE(first);
  EXPECT_FALSE(next_move(snapshot_, facts_, kLooked, {*first}));
  snapshot_.tasks["t1"].node_id = "b";
  EXPECT_TRUE(next_move(snapshot_, facts_, kLooked, {*first})) << "it is for another reason";
  snapshot_.tasks["t1"].node_id = "a";
  auto other = *first;
  other.service_id = "another";
  EXPECT_TRUE(next_move(snapshot_, facts_, kLooked, {other}));
}

// Two nodes in zone 1, one in zone 2.
class SpreadTest : public RebalanceTest {
 protected:
  SpreadTest() {
    zone("a", "1");
    zone("b", "1");
    zone("c", "2");
    service().spread = {"node.labels.zone"};
  }
  void zone(const std::string& node, const std::string& value) {
    snapshot_.nodes[node].labels["zone"] = value;
  }
  // So many tasks on a, b and c.
  void on(int a, int b, int c) {
    snapshot_.tasks.clear();
    std::int64_t slot = 0;
    for (const auto& [node, count] : {std::pair{"a", a}, {"b", b}, {"c", c}})
      for (int i = 0; i < count; ++i) {
        auto& task = snapshot_.tasks["t" + std::to_string(++slot)];
        task.id = "t" + std::to_string(slot);
        task.service_id = "s";
        task.node_id = node;
        task.slot = slot;
        task.state = task.desired = TaskState::kRunning;
        facts_[task.id].held = true;
      }
    service().replicas = static_cast<std::uint64_t>(slot);
  }
  std::string why() {
    const auto found = move();
    return found ? found->why : "";
  }
};

TEST_F(SpreadTest, ZonesComeBeforeNodes) {
  on(1, 1, 3);
  EXPECT_EQ(why(), "") << "c has two more than a, and the zones are even";
  on(2, 2, 1);
  EXPECT_EQ(why(), "node.labels.zone 1 has 4 tasks of the service and node.labels.zone 2 has 1");
  on(1, 3, 1);
  ASSERT_TRUE(move());
  EXPECT_EQ(snapshot_.tasks[move()->task_id].node_id, "b") << "the fullest of its zone";
}

TEST_F(SpreadTest, NodesOfAZoneAreEvenToo) {
  on(2, 0, 2);
  EXPECT_EQ(why(), "a has 2 tasks of the service and b has 0");
}

TEST_F(SpreadTest, AZoneWithoutRoomIsNoPlace) {
  service().reserved_nano_cpus = 1;
  snapshot_.nodes["c"].nano_cpus = 1;
  on(2, 2, 1);
  EXPECT_EQ(why(), "");
}

TEST_F(SpreadTest, NodesWithoutTheLabelAreAZoneOfTheirOwn) {
  snapshot_.nodes["c"].labels.clear();
  on(2, 1, 1);
  EXPECT_EQ(why(),
            "node.labels.zone 1 has 3 tasks of the service and node.labels.zone without a value "
            "has 1");
}

TEST_F(SpreadTest, WhatSwarmPassesOverPartsNothing) {
  service().spread = {"node.platform.os"};
  on(1, 1, 3);
  EXPECT_EQ(why(), "c has 3 tasks of the service and a has 1");
  service().spread = {"NODE.Labels.zone"};
  EXPECT_EQ(why(), "");
}

// Moves as Swarm makes them end, from everywhere, and leave zones even.
TEST_F(SpreadTest, ComesToAnEnd) {
  for (int a = 0; a <= 4; ++a)
    for (int b = 0; b <= 4; ++b)
      for (int c = 0; c <= 4; ++c) {
        if (a + b + c == 0) continue;
        for (const bool first : {true, false}) {
          std::map<std::string, int> there{{"a", a}, {"b", b}, {"c", c}};
          on(a, b, c);
          int moves = 0;
          while (const auto found = move()) {
            ASSERT_LT(++moves, 12) << a << " " << b << " " << c;
            const std::string from = snapshot_.tasks[found->task_id].node_id;
            // The new task comes before the old one goes. A tie is Swarm's own choice.
            const int one = there["a"] + there["b"];
            const int two = there["c"];
            const bool to_one = one < two || (one == two && first);
            ++there[!to_one ? "c" : (there["a"] <= there["b"] ? "a" : "b")];
            --there[from];
            on(there["a"], there["b"], there["c"]);
          }
          EXPECT_LE(std::abs(there["a"] + there["b"] - there["c"]), 1) << a << " " << b << " " << c;
          EXPECT_LE(std::abs(there["a"] - there["b"]), 1) << a << " " << b << " " << c;
        }
      }
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
