#include "decide/placement/slots.h"

#include <gtest/gtest.h>

namespace hive::decide::placement {
namespace {

using model::TaskState;

class SlotsTest : public testing::Test {
 protected:
  SlotsTest() {
    service_.id = "s";
    service_.name = "web";
    model::Node node;
    node.id = "n1";
    node.hostname = "shop-worker-1";
    node.state = model::NodeState::kReady;
    snapshot_.nodes["n1"] = node;
  }
  model::Task& task(const std::string& id, std::int64_t slot, TaskState state, TaskState desired,
                    std::int64_t created = 1) {
    model::Task& out = snapshot_.tasks[id];
    out.id = id;
    out.service_id = "s";
    out.node_id = "n1";
    out.slot = slot;
    out.state = state;
    out.desired = desired;
    out.created_unix_ms = created;
    return out;
  }
  std::vector<Slot> slots(const Facts& facts = {}) {
    return live_slots(snapshot_, service_, facts);
  }

  model::Snapshot snapshot_;
  model::Service service_;
};

TEST_F(SlotsTest, EndedTasksAreNoSlot) {
  task("a", 1, TaskState::kRunning, TaskState::kRunning);
  task("b", 2, TaskState::kComplete, TaskState::kShutdown);
  task("c", 3, TaskState::kRunning, TaskState::kRemove);
  task("d", 4, TaskState::kRunning, TaskState::kRunning).service_id = "other";
  ASSERT_EQ(slots().size(), 1U);
  EXPECT_EQ(slots()[0].name, "web.1");
  EXPECT_EQ(slots()[0].node, "shop-worker-1");
  EXPECT_EQ(slots()[0].state, SlotState::kRunning);
}

TEST_F(SlotsTest, AReplacementWaitsForTheRestartDelay) {
  task("old", 1, TaskState::kFailed, TaskState::kShutdown);
  task("new", 1, TaskState::kReady, TaskState::kReady, 2);
  ASSERT_EQ(slots().size(), 1U);
  EXPECT_EQ(slots()[0].state, SlotState::kPlanned);
  EXPECT_EQ(slots()[0].task_id, "new");
}

TEST_F(SlotsTest, AReplacementWaitsForTheOldOneThatSwarmStops) {
  task("old", 1, TaskState::kRunning, TaskState::kShutdown);
  task("new", 1, TaskState::kReady, TaskState::kReady, 2);
  ASSERT_EQ(slots().size(), 1U);
  EXPECT_EQ(slots()[0].state, SlotState::kWaiting);
}

TEST_F(SlotsTest, OfTwoTheOneThatRunsCounts) {
  task("old", 1, TaskState::kRunning, TaskState::kRunning);
  task("new", 1, TaskState::kStarting, TaskState::kRunning, 2);
  EXPECT_EQ(slots()[0].task_id, "old");
}

TEST_F(SlotsTest, WhatHasNoContainerYetWaits) {
  task("a", 1, TaskState::kPending, TaskState::kRunning);
  task("b", 2, TaskState::kPreparing, TaskState::kRunning);
  task("c", 3, TaskState::kStarting, TaskState::kRunning);
  EXPECT_EQ(slots()[0].state, SlotState::kWaiting);
  EXPECT_EQ(slots()[1].state, SlotState::kWaiting);
  EXPECT_EQ(slots()[2].state, SlotState::kStarting);
}

TEST_F(SlotsTest, ANodeThatTakesNoTasksLeaves) {
  task("a", 1, TaskState::kRunning, TaskState::kRunning);
  EXPECT_FALSE(slots()[0].node_leaves);
  snapshot_.nodes["n1"].availability = model::Availability::kPause;
  EXPECT_TRUE(slots()[0].node_leaves);
}

TEST_F(SlotsTest, ServingIsWhatRunsAndNobodyObjectsTo) {
  for (const char* id : {"a", "b", "c", "d"})
    task(id, 1 + (id[0] - 'a'), TaskState::kRunning, TaskState::kRunning);
  task("e", 5, TaskState::kStarting, TaskState::kRunning);
  Facts facts;
  facts["b"].healthy = false;
  facts["c"].leaving = true;
  EXPECT_EQ(serving(slots(facts)), 2U);
}

}  // namespace
}  // namespace hive::decide::placement
