#include "decide/drain/stop_sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::decide::drain {
namespace {

using model::StopStep;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = CommandView::State;

const MonotonicTime kStart{std::chrono::hours(1)};

// A stop whose view a test changes step by step.
struct Stop {
  explicit Stop(model::StopPolicy policy = {}, Milliseconds budget = Milliseconds(200'000))
      : sequence(std::move(policy), kStart, kStart + budget) {
    view.now = kStart;
    view.await_replacement = false;
    view.routed = true;
    view.connections = 0;
  }
  StopWish turn() { return sequence.turn(view); }
  StopWish after(Milliseconds time) {
    view.now += time;
    return turn();
  }
  // Claimed, and out of all edges.
  void drained() {
    view.init = InitState::kClaimed;
    view.routed = false;
    view.own_edge_out = true;
    view.door = Door::kClosed;
  }

  StopSequence sequence;
  StopView view;
};

TEST(StopSequence, AHeldStopIsClaimedForAsLongAsDockerLeaves) {
  Stop stop;
  const StopWish wish = stop.turn();
  EXPECT_TRUE(wish.claim);
  EXPECT_EQ(wish.claim_for, Milliseconds(200'000));
  EXPECT_FALSE(wish.drain_edge) << "nothing is taken away before the hold is ours";
  EXPECT_EQ(stop.sequence.step(), StopStep::kClaimed);
}

TEST(StopSequence, TheApplicationServesUntilNoEdgeSendsAndNothingIsInFlight) {
  Stop stop;
  stop.view.init = InitState::kClaimed;
  stop.view.connections = 3;
  EXPECT_TRUE(stop.turn().drain_edge);
  EXPECT_EQ(stop.sequence.step(), StopStep::kDraining);
  stop.view.own_edge_out = true;
  EXPECT_FALSE(stop.turn().close_door) << "another edge may still send";
  stop.view.routed = false;
  StopWish wish = stop.turn();
  EXPECT_TRUE(wish.close_door);
  EXPECT_FALSE(wish.tell_application);
  stop.view.door = Door::kClosed;
  EXPECT_FALSE(stop.after(Milliseconds(20'000)).tell_application) << "3 requests are in flight";
  stop.view.connections = 0;
  wish = stop.turn();
  EXPECT_TRUE(wish.tell_application);
  EXPECT_TRUE(wish.drain_edge);
  EXPECT_EQ(stop.sequence.step(), StopStep::kStopping);
  EXPECT_THAT(stop.sequence.progress().given_up, IsEmpty());
}

TEST(StopSequence, WithNothingInFlightTheDoorIsShutBeforeTheApplicationKnows) {
  Stop stop;
  stop.view.init = InitState::kClaimed;
  stop.view.routed = false;
  stop.view.own_edge_out = true;
  EXPECT_TRUE(stop.turn().close_door);
  EXPECT_EQ(stop.sequence.step(), StopStep::kDraining);
  stop.view.door = Door::kClosed;
  EXPECT_TRUE(stop.turn().tell_application);
}

TEST(StopSequence, WithoutAControllerTheDoorIsClosedToTheOtherEdgesAfterAWhile) {
  Stop stop;
  stop.view.init = InitState::kClaimed;
  stop.view.await_replacement.reset();
  stop.view.routed.reset();
  stop.view.own_edge_out = true;
  EXPECT_FALSE(stop.turn().close_door);
  EXPECT_TRUE(stop.after(kEdgePatience).close_door);
  EXPECT_EQ(stop.sequence.step(), StopStep::kDraining);
  stop.view.door = Door::kClosed;
  EXPECT_TRUE(stop.turn().tell_application);
  EXPECT_THAT(stop.sequence.progress().given_up, IsEmpty())
      << "refused connections are tried elsewhere";
}

TEST(StopSequence, ADoorThatCannotBeClosedNeedsTheEdgesWord) {
  Stop stop;
  stop.view.init = InitState::kClaimed;
  stop.view.own_edge_out = true;
  stop.view.door = Door::kCannotClose;
  stop.turn();
  stop.after(Milliseconds(10'000));
  EXPECT_EQ(stop.sequence.step(), StopStep::kDraining);
  stop.view.routed = false;
  stop.turn();
  EXPECT_EQ(stop.sequence.step(), StopStep::kStopping);
}

TEST(StopSequence, OnlyADueReplacementIsWaitedForAndOnlyForItsShare) {
  Stop stop;
  stop.view.init = InitState::kClaimed;
  stop.view.await_replacement = true;
  EXPECT_FALSE(stop.turn().drain_edge);
  EXPECT_EQ(stop.sequence.step(), StopStep::kWaiting);
  EXPECT_TRUE(stop.after(Milliseconds(20'000)).drain_edge);
  EXPECT_EQ(stop.sequence.step(), StopStep::kDraining);
  EXPECT_THAT(stop.sequence.progress().given_up, ElementsAre(HasSubstr("not ready after 20 s")));
  EXPECT_EQ(stop.sequence.deadline() - stop.sequence.progress().entered, Milliseconds(10'000))
      << "waiting and draining share the drain time";
}

TEST(StopSequence, ConnectionsThatStayAreNamedAtTheDeadline) {
  Stop stop;
  stop.drained();
  stop.view.connections = 2;
  stop.turn();
  EXPECT_FALSE(stop.after(Milliseconds(29'999)).tell_application);
  EXPECT_TRUE(stop.after(Milliseconds(1)).tell_application);
  EXPECT_THAT(stop.sequence.progress().given_up,
              ElementsAre("2 connections were still open after 30 s"));
}

TEST(StopSequence, ConnectionsThatCannotBeCountedAreNotTakenForNone) {
  Stop stop;
  stop.drained();
  stop.view.connections.reset();
  stop.turn();
  EXPECT_EQ(stop.sequence.step(), StopStep::kDraining);
  stop.after(Milliseconds(30'000));
  EXPECT_EQ(stop.sequence.step(), StopStep::kStopping);
  EXPECT_THAT(stop.sequence.progress().given_up, ElementsAre(HasSubstr("could not be counted")));
}

TEST(StopSequence, PreStopRunsWhileTheApplicationLives) {
  Stop stop({.pre_stop = {"/flush.sh"}});
  stop.drained();
  StopWish wish = stop.turn();
  EXPECT_TRUE(wish.run_pre_stop);
  EXPECT_FALSE(wish.tell_application);
  stop.view.pre_stop.state = State::kRunning;
  EXPECT_FALSE(stop.after(Milliseconds(5'000)).tell_application);
  stop.view.pre_stop = {State::kEnded, 3, ""};
  EXPECT_TRUE(stop.turn().tell_application);
  EXPECT_THAT(stop.sequence.progress().given_up, ElementsAre("pre_stop ended with exit code 3"));
}

TEST(StopSequence, APreStopThatHangsOrFailsIsSaid) {
  Stop hangs({.pre_stop = {"x"}});
  hangs.drained();
  hangs.view.pre_stop.state = State::kRunning;
  hangs.turn();
  EXPECT_TRUE(hangs.after(Milliseconds(30'000)).tell_application);
  EXPECT_THAT(hangs.sequence.progress().given_up,
              ElementsAre(HasSubstr("had not ended after 30 s")));
  Stop fails({.pre_stop = {"x"}});
  fails.drained();
  fails.view.pre_stop = {State::kFailed, 0, "no such file"};
  EXPECT_TRUE(fails.turn().tell_application);
  EXPECT_THAT(fails.sequence.progress().given_up, ElementsAre(HasSubstr("no such file")));
}

TEST(StopSequence, AStopCommandEndsTheApplicationBesideAShipperThatLivesOn) {
  Stop stop({.stop_command = {"catalina.sh", "stop"}});
  stop.drained();
  EXPECT_TRUE(stop.turn().tell_by_command);
  stop.view.init = InitState::kStopping;
  stop.view.stop_command = {State::kEnded, 0, ""};
  EXPECT_FALSE(stop.turn().release) << "it still listens";
  stop.view.listens = false;
  stop.view.logs_watched = true;
  EXPECT_FALSE(stop.turn().release);
  EXPECT_EQ(stop.sequence.step(), StopStep::kFlushing);
  stop.view.logs_safe = true;
  EXPECT_TRUE(stop.turn().release);
}

TEST(StopSequence, AStopCommandThatCannotRunGivesWayToTheSignal) {
  Stop stop({.stop_command = {"nothing"}});
  stop.drained();
  stop.view.stop_command = {State::kFailed, 0, "not found"};
  const StopWish wish = stop.turn();
  EXPECT_TRUE(wish.tell_application);
  EXPECT_FALSE(wish.tell_by_command);
  EXPECT_THAT(stop.sequence.progress().given_up, ElementsAre(HasSubstr("not found")));
}

TEST(StopSequence, AnApplicationThatIgnoresItsSignalIsKilledAndItsLogStillFlushed) {
  Stop stop;
  stop.drained();
  stop.turn();
  stop.view.init = InitState::kStopping;
  EXPECT_FALSE(stop.after(Milliseconds(29'000)).kill_application);
  EXPECT_TRUE(stop.after(Milliseconds(1'000)).kill_application);
  EXPECT_THAT(stop.sequence.progress().given_up, ElementsAre(HasSubstr("was killed")));
  stop.view.init = InitState::kFlushing;
  stop.view.logs_watched = true;
  EXPECT_FALSE(stop.turn().release);
  EXPECT_EQ(stop.sequence.step(), StopStep::kFlushing);
}

TEST(StopSequence, TheContainerIsKeptUntilItsLastByteIsSafe) {
  Stop stop;
  stop.drained();
  stop.view.init = InitState::kFlushing;
  stop.view.logs_watched = true;
  stop.view.log_bytes_missing = 17;
  EXPECT_FALSE(stop.after(Milliseconds(20'000)).release);
  EXPECT_TRUE(stop.after(Milliseconds(30'000)).release);
  EXPECT_THAT(stop.sequence.progress().given_up,
              ElementsAre("17 log bytes were not delivered after 30 s"));
  EXPECT_FALSE(stop.sequence.done()) << "only the container's end is the end";
  stop.view.init = InitState::kGone;
  stop.turn();
  EXPECT_TRUE(stop.sequence.done());
  EXPECT_EQ(stop.sequence.progress().took_ms[static_cast<std::size_t>(StopStep::kFlushing)],
            30'000);
}

TEST(StopSequence, AnApplicationThatDiedWhileHeldIsFlushedAtOnce) {
  Stop stop;
  stop.view.init = InitState::kFlushing;
  stop.view.connections = 5;  // what the kernel has not noticed yet
  EXPECT_TRUE(stop.turn().release);
  EXPECT_THAT(stop.sequence.progress().given_up, IsEmpty());
}

TEST(StopSequence, ForceSkipsAllWaitingButNotTheEdges) {
  Stop stop({.pre_stop = {"x"}});
  stop.view.init = InitState::kClaimed;
  stop.view.await_replacement = true;
  stop.view.connections = 1;
  stop.view.force = true;
  StopWish wish = stop.turn();
  EXPECT_TRUE(wish.drain_edge);
  EXPECT_TRUE(wish.close_door);
  EXPECT_FALSE(wish.tell_application) << "the door first: it takes no time";
  stop.view.door = Door::kClosed;
  wish = stop.turn();
  EXPECT_TRUE(wish.tell_application);
  EXPECT_FALSE(wish.run_pre_stop);
}

TEST(StopSequence, AKillInTheMiddleIsSaid) {
  Stop stop;
  stop.view.init = InitState::kClaimed;
  stop.turn();
  stop.view.init = InitState::kGone;
  stop.turn();
  EXPECT_TRUE(stop.sequence.done());
  EXPECT_THAT(stop.sequence.progress().given_up,
              ElementsAre(HasSubstr("ended while it was draining")));
}

TEST(StopSequence, AStopThatWasPassedOnUnclaimedLeavesTheEdgesAtOnce) {
  Stop stop;
  stop.view.init = InitState::kUnheld;
  const StopWish wish = stop.turn();
  EXPECT_TRUE(wish.drain_edge);
  EXPECT_TRUE(wish.close_door);
  EXPECT_THAT(stop.sequence.progress().given_up, ElementsAre(HasSubstr("before it was claimed")));
}

TEST(StopSequence, StepsShareWhatAShortKillTimeLeaves) {
  // docker stop's 10 s for a policy of 30 + 30 + 30 s.
  Stop stop({}, Milliseconds(10'000));
  stop.drained();
  stop.view.connections = 1;
  stop.turn();
  const auto draining = stop.sequence.deadline() - stop.sequence.progress().entered;
  EXPECT_GT(draining, Milliseconds(2'500));
  EXPECT_LT(draining, Milliseconds(3'500));
  stop.after(std::chrono::duration_cast<Milliseconds>(draining));
  ASSERT_EQ(stop.sequence.step(), StopStep::kStopping);
  stop.view.init = InitState::kStopping;
  stop.after(std::chrono::duration_cast<Milliseconds>(stop.sequence.deadline() -
                                                      stop.sequence.progress().entered));
  stop.view.init = InitState::kFlushing;
  stop.view.logs_watched = true;
  stop.turn();
  ASSERT_EQ(stop.sequence.step(), StopStep::kFlushing);
  EXPECT_LT(stop.sequence.deadline(), kStart + Milliseconds(10'000)) << "before Docker kills";
}

TEST(StopSequence, MoreTimeThanThoughtIsTaken) {
  Stop stop({}, Milliseconds(10'000));
  stop.drained();
  stop.view.connections = 1;
  stop.turn();
  stop.sequence.set_kill_time(kStart + Milliseconds(200'000));
  EXPECT_EQ(stop.sequence.deadline(), kStart + Milliseconds(30'000));
}

TEST(StopSequence, ANewAgentGoesOnWhereTheLastOneWas) {
  Stop stop({.pre_stop = {"x"}});
  stop.sequence.resume({StopStep::kStopping, kStart, {}, {"1 connection was open"}});
  stop.view.init = InitState::kClaimed;  // killed before it told the application
  const StopWish wish = stop.turn();
  EXPECT_TRUE(wish.tell_application);
  EXPECT_FALSE(wish.run_pre_stop) << "it has run";
  EXPECT_TRUE(wish.drain_edge) << "the new agent's edge does not know";
  EXPECT_THAT(stop.sequence.progress().given_up, ElementsAre("1 connection was open"));
}

}  // namespace
}  // namespace hive::decide::drain
