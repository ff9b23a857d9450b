#include "controller/agents_sight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::controller {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Nodes n1, and n2 that Swarm does not hear from; each one's agent sees a task, and its edge sends
// requests to both.
class AgentsSightTest : public ::testing::Test {
 protected:
  AgentsSightTest() {
    snapshot_.nodes["n1"].state = model::NodeState::kReady;
    snapshot_.nodes["n2"].state = model::NodeState::kDown;
    for (const char* id : {"1", "2"}) {
      agent::Report& report = reports_[id];
      report.node_id = std::string("n") + id;
      report.containers = {{std::string("t") + id, "c", "running", "", "armed", {}}};
      for (const char* task : {"t1", "t2"}) {
        model::EndpointStats stats;
        stats.task_id = task;
        report.stats.push_back(stats);
      }
    }
  }
  AgentsSight seen() const {
    return agents_sight(snapshot_,
                        {{&reports_.at("1"), true, true}, {&reports_.at("2"), there_, now_}});
  }

  model::Snapshot snapshot_;
  std::map<std::string, agent::Report> reports_;
  bool there_ = true, now_ = true;
};

TEST_F(AgentsSightTest, TasksWhoseStopIsHeldAreTheirAgentsWordOfThisMoment) {
  reports_["1"].containers[0].init = "tini";
  EXPECT_THAT(seen().held, UnorderedElementsAre("t2"));
  now_ = false;
  EXPECT_THAT(seen().held, IsEmpty());
}

TEST_F(AgentsSightTest, WhatRunsIsItsAgentsWordOfLate) {
  now_ = false;
  EXPECT_THAT(seen().nodes, UnorderedElementsAre("n1", "n2"));
  EXPECT_THAT(seen().running, UnorderedElementsAre("t1", "t2"));
  reports_["1"].containers[0].state = "exited";
  there_ = false;
  EXPECT_THAT(seen().nodes, UnorderedElementsAre("n1"));
  EXPECT_THAT(seen().running, IsEmpty());
}

TEST_F(AgentsSightTest, ServedIsATaskThatEachEdgeSendsTo) {
  EXPECT_THAT(seen().served, UnorderedElementsAre("t1", "t2"));
  reports_["1"].not_ready = {"t1"};
  EXPECT_THAT(seen().served, UnorderedElementsAre("t2"));
  reports_["2"].stats.pop_back();  // it has an older table
  EXPECT_THAT(seen().served, IsEmpty());
  reports_["2"].stats.clear();  // its edge has a fault
  EXPECT_THAT(seen().served, UnorderedElementsAre("t2"));
  reports_["1"].not_ready.clear();
  reports_["2"].not_ready = {"t1", "t2"};
  now_ = false;
  EXPECT_THAT(seen().served, UnorderedElementsAre("t1", "t2"));
}

TEST_F(AgentsSightTest, WhileSwarmHearsFromAllItsOwnWordIsEnough) {
  for (const auto state : {model::NodeState::kReady, model::NodeState::kUnknown}) {
    snapshot_.nodes["n2"].state = state;
    EXPECT_THAT(seen().running, IsEmpty());
    EXPECT_THAT(seen().served, IsEmpty());
  }
  snapshot_.nodes["n2"].state = model::NodeState::kDisconnected;
  EXPECT_THAT(seen().running, UnorderedElementsAre("t1", "t2"));
}

}  // namespace
}  // namespace hive::controller
