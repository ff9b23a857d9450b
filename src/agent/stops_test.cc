#include "agent/stops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "agent/testing/fake_hands.h"

namespace hive::agent {
namespace {

using decide::drain::InitState;
using model::StopStep;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StopsTest : public ::testing::Test {
 protected:
  StopsTest() : stops_({}, hands_, clock_) { stops_.containers({a_container()}); }

  // What a controller says, when it has looked at Swarm since the stop was reported.
  NodeOrders orders() {
    NodeOrders out;
    out.node_name = "w1";
    out.services["s1"] = {"web", {}, {}, 125'000};
    out.tasks["t1"] = {"s1", 1, false, false, true, {"m1"}};
    out.known = {"c1"};
    return out;
  }
  void turn(Milliseconds time = Milliseconds(20)) {
    clock_.advance(time);
    stops_.turn(edge_out_);
  }
  model::StopRecord record() { return stops_.records().at(0); }
  StopStep step() { return record().step; }

  ManualClock clock_;
  FakeHands hands_;
  Stops stops_;
  std::set<std::string> edge_out_;
};

TEST_F(StopsTest, AContainerIsArmedAndItsLogsWatchedOnceItsServiceIsKnown) {
  turn();
  EXPECT_TRUE(hands_.sight.armed);
  EXPECT_EQ(stops_.init_of("c1"), "armed");
  EXPECT_THAT(hands_.watched, IsEmpty());
  stops_.orders(orders());
  turn(Milliseconds(1'000));
  EXPECT_THAT(hands_.watched, ElementsAre("c1 on w1 slot 1"));
  EXPECT_THAT(stops_.records(), IsEmpty());
}

TEST_F(StopsTest, AnInitThatIsNotOursIsNamed) {
  hands_.sight = {.ours = false, .description = "tini"};
  turn();
  EXPECT_EQ(stops_.init_of("c1"), "tini");
  EXPECT_FALSE(stops_.holds("c1"));
}

TEST_F(StopsTest, AStopBySwarmLeavesTheEdgesThenIsToldThenGone) {
  stops_.orders(orders());
  turn();
  hands_.become(InitState::kHeld, "held");
  stops_.killed("c1");
  turn();
  EXPECT_EQ(hands_.claimed_for, Milliseconds(125'000)) << "the service's own grace period";
  turn();
  EXPECT_EQ(step(), StopStep::kDraining);
  EXPECT_THAT(stops_.leaving(), ElementsAre("t1"));
  edge_out_ = {"t1"};
  turn();
  EXPECT_EQ(hands_.doors_closed, 0) << "another edge may still send";
  NodeOrders out = orders();
  out.tasks["t1"].routed = false;
  stops_.orders(out);
  turn();
  EXPECT_EQ(hands_.doors_closed, 1);
  EXPECT_EQ(hands_.told, 0);
  turn();
  EXPECT_EQ(hands_.told, 1);
  hands_.become(InitState::kFlushing, "flushing");
  turn();
  EXPECT_EQ(hands_.released, 1);
  turn();
  EXPECT_EQ(step(), StopStep::kDone);
  EXPECT_EQ(record().by, "swarm");
  EXPECT_THAT(record().given_up, IsEmpty());
  EXPECT_FALSE(stops_.active());
}

TEST_F(StopsTest, TheControllersOldWordIsNotTakenForItsWordOnThisStop) {
  NodeOrders old = orders();
  old.known = {};
  old.tasks["t1"].desired_running = true;
  old.tasks["t1"].routed = false;
  stops_.orders(old);
  turn();
  hands_.become(InitState::kHeld, "held");
  stops_.killed("c1");
  turn();
  turn();
  EXPECT_EQ(step(), StopStep::kWaiting) << "until the controller has looked";
  NodeOrders now = orders();
  now.tasks["t1"].await_replacement = true;
  stops_.orders(now);
  turn(Milliseconds(500));
  EXPECT_EQ(step(), StopStep::kWaiting);
  stops_.orders(orders());
  turn();
  EXPECT_EQ(step(), StopStep::kDraining);
}

TEST_F(StopsTest, AControllerThatFallsSilentIsNotWaitedFor) {
  stops_.orders(orders());
  turn();
  hands_.become(InitState::kHeld, "held");
  stops_.controller_lost();
  stops_.killed("c1");
  turn();
  turn();
  EXPECT_EQ(step(), StopStep::kDraining);
  edge_out_ = {"t1"};
  turn(decide::drain::kEdgePatience);
  turn();
  EXPECT_EQ(hands_.told, 1);
}

TEST_F(StopsTest, APersonsDockerStopHasTenSeconds) {
  NodeOrders mine = orders();
  mine.tasks["t1"].desired_running = true;
  stops_.orders(mine);
  turn();
  hands_.become(InitState::kHeld, "held");
  hands_.socket_sight.connections = 1;
  stops_.killed("c1");
  turn();
  turn();
  turn(Milliseconds(4'000));
  turn(Milliseconds(100));
  EXPECT_EQ(hands_.told, 1) << "the connection is not waited for longer than its share";
  EXPECT_EQ(record().by, "docker");
}

TEST_F(StopsTest, WhatTheEngineCallsUnhealthyIsStoppedBySwarmWithTheServicesGrace) {
  NodeOrders out = orders();
  out.tasks["t1"].desired_running = true;
  stops_.orders(out);
  auto unhealthy = a_container();
  unhealthy.unhealthy = true;
  stops_.containers({unhealthy});
  turn();
  hands_.become(InitState::kHeld, "held");
  stops_.killed("c1");
  turn();
  EXPECT_EQ(hands_.claimed_for, Milliseconds(125'000));
  turn();
  EXPECT_EQ(record().by, "swarm");
  EXPECT_EQ(record().reason, "its health check fails");
}

TEST_F(StopsTest, AnOrderStopsTheContainerOnceAndSaysWhy) {
  NodeOrders order = orders();
  order.tasks["t1"].desired_running = true;
  order.stops = {{"o1", "t1", "scale-in", "least loaded", false}};
  stops_.orders(order);
  turn();
  turn();
  EXPECT_THAT(hands_.stops, ElementsAre(std::pair(true, Milliseconds(125'000))));
  turn(Milliseconds(1'000));
  EXPECT_EQ(record().order_id, "o1");
  EXPECT_EQ(record().by, "scale-in");
  EXPECT_EQ(record().reason, "least loaded");
  EXPECT_EQ(hands_.claimed_for, Milliseconds(125'000)) << "hive's own stop has the whole grace";
}

TEST_F(StopsTest, AnOrderForAContainerWithoutOurInitUsesDockersGrace) {
  hands_.sight = {.ours = false, .description = "tini"};
  NodeOrders order = orders();
  order.stops = {{"o1", "t1", "scale-in", "", false}};
  stops_.orders(order);
  turn();
  EXPECT_THAT(hands_.stops, ElementsAre(std::pair(false, Milliseconds(125'000))));
}

// hive-init is there, but an image's stop signal such as SIGABRT cannot be held.
TEST_F(StopsTest, AnOrderForAContainerThatCannotBeArmedUsesDockersGrace) {
  hands_.arming = fail(Errc::kInvalidArgument, "stop signal 6 cannot be held");
  NodeOrders order = orders();
  order.stops = {{"o1", "t1", "scale-in", "", false}};
  stops_.orders(order);
  turn();
  EXPECT_THAT(hands_.stops, ElementsAre(std::pair(false, Milliseconds(125'000))));
}

TEST_F(StopsTest, AStopCommandThatFailsIsFollowedByTheSignal) {
  using State = decide::drain::CommandView::State;
  NodeOrders out = orders();
  out.services["s1"].stop.stop_command = {"catalina.sh", "stop"};
  out.tasks["t1"].routed = false;
  stops_.orders(out);
  hands_.stop_command = {State::kRunning, 0, ""};
  edge_out_ = {"t1"};
  turn();
  hands_.become(InitState::kHeld, "held");
  stops_.killed("c1");
  for (int i = 0; i < 5; ++i) turn();
  ASSERT_EQ(step(), StopStep::kStopping);
  EXPECT_EQ(hands_.told, 1);
  EXPECT_TRUE(hands_.told_by_command);
  hands_.stop_command = {State::kFailed, 0, "it is not there"};
  turn();
  EXPECT_EQ(hands_.told, 2);
  EXPECT_FALSE(hands_.told_by_command);
}

TEST_F(StopsTest, ARecordIsKeptUntilTheControllerHasIt) {
  stops_.orders(orders());
  turn();
  hands_.become(InitState::kFlushing, "flushing");
  stops_.killed("c1");
  for (int i = 0; i < 4; ++i) turn();
  ASSERT_EQ(step(), StopStep::kDone);
  stops_.containers({});
  turn(Milliseconds(5'000));
  EXPECT_EQ(stops_.records().size(), 1U);
  EXPECT_THAT(hands_.forgotten, IsEmpty());
  NodeOrders order = orders();
  order.recorded = {"c1"};
  stops_.orders(order);
  turn();
  EXPECT_THAT(stops_.records(), IsEmpty());
  EXPECT_THAT(hands_.forgotten, ElementsAre("c1"));
}

TEST_F(StopsTest, AnAgentStartedAnewGoesOnWhereTheLastOneWas) {
  const std::string directory = testing::TempDir() + "/stops." + std::to_string(::getpid());
  std::filesystem::remove_all(directory);
  NodeOrders order = orders();
  order.services["s1"].stop.pre_stop = {"/flush.sh"};
  order.tasks["t1"].routed = false;
  edge_out_ = {"t1"};
  {
    Stops first({.directory = directory}, hands_, clock_);
    first.containers({a_container()});
    first.orders(order);
    hands_.become(InitState::kHeld, "held");
    for (int i = 0; i < 4; ++i) {
      clock_.advance(Milliseconds(100));
      first.turn(edge_out_);
    }
    ASSERT_EQ(first.records().at(0).step, StopStep::kStopping);
  }
  const auto ran = hands_.commands.size();
  hands_.become(InitState::kClaimed, "claimed");  // as if the agent died before it could tell
  Stops second({.directory = directory}, hands_, clock_);
  second.containers({a_container()});
  second.orders(order);
  clock_.advance(Milliseconds(2'000));
  second.turn(edge_out_);
  EXPECT_EQ(second.records().at(0).step, StopStep::kStopping);
  EXPECT_EQ(hands_.commands.size(), ran) << "pre_stop is not run again";
  EXPECT_EQ(hands_.told, 2);
  std::filesystem::remove_all(directory);
}

TEST_F(StopsTest, AProgressFileOfGarbageIsPassedOver) {
  const std::string directory = testing::TempDir() + "/stops." + std::to_string(::getpid());
  std::filesystem::create_directories(directory);
  {
    std::FILE* file = std::fopen((directory + "/c1.json").c_str(), "w");
    std::fputs("{\"step\": ", file);
    std::fclose(file);
  }
  Stops stops({.directory = directory}, hands_, clock_);
  stops.containers({a_container()});
  hands_.become(InitState::kHeld, "held");
  stops.turn({});
  EXPECT_EQ(stops.records().at(0).step, StopStep::kClaimed);
  std::filesystem::remove_all(directory);
}

TEST_F(StopsTest, AContainerThatIsKilledInTheMiddleIsRecordedAsSuch) {
  stops_.orders(orders());
  turn();
  hands_.become(InitState::kHeld, "held");
  stops_.killed("c1");
  turn();
  turn();
  hands_.become(InitState::kGone, "gone");
  turn();
  EXPECT_EQ(step(), StopStep::kDone);
  EXPECT_THAT(record().given_up, ElementsAre(HasSubstr("ended while it was")));
}

}  // namespace
}  // namespace hive::agent
