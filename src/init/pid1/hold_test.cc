#include "init/pid1/hold.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>

namespace hive::init {

bool operator==(const Act& a, const Act& b) { return a.kind == b.kind && a.signal == b.signal; }
std::ostream& operator<<(std::ostream& out, const Act& act) {
  return out << "act " << int{act.kind} << " signal " << act.signal;
}

namespace {

constexpr int kHup = 1, kQuit = 3, kKill = 9, kTerm = 15;
constexpr bool kOutside = true, kInside = false;
constexpr Act kNothing{};
constexpr Act kExit{Act::kExit, 0};
Act application(int signal) { return {Act::kApplication, signal}; }
Act everybody(int signal) { return {Act::kEverybody, signal}; }

struct HoldTest : ::testing::Test {
  Hold hold;
  std::int64_t now = 5'000;

  Act command(Command command, std::uint32_t argument = 0) {
    return hold.on_command(command_value(command, argument), now);
  }
  Act signal(int number, bool outside = kOutside) { return hold.on_signal(number, outside, now); }
  Act after(std::int64_t ms) {
    now += ms;
    return hold.on_time(now);
  }
  void arm(std::uint32_t stop_signal = 0, std::uint32_t timeout = 0) {
    EXPECT_EQ(command(Command::kArm, arm_argument(stop_signal, timeout)), kNothing);
    EXPECT_EQ(hold.state(), State::kArmed);
  }
  void hold_it() {
    arm();
    EXPECT_EQ(signal(kTerm), kNothing);
    EXPECT_EQ(hold.state(), State::kHeld);
  }
  void claim(std::uint32_t seconds = 60) {
    hold_it();
    EXPECT_EQ(command(Command::kClaim, seconds), kNothing);
    EXPECT_EQ(hold.state(), State::kClaimed);
  }
  void stop() {
    claim();
    EXPECT_EQ(command(Command::kStop, kStopHeld), application(kTerm));
    EXPECT_EQ(hold.state(), State::kStopping);
  }
  void flush() {
    stop();
    EXPECT_EQ(hold.on_application_end(), kNothing);
    EXPECT_EQ(hold.state(), State::kFlushing);
  }
};

TEST_F(HoldTest, IdlePassesEverythingOnAndEndsWithTheApplication) {
  for (int number = 1; number <= 64; ++number) EXPECT_EQ(signal(number), application(number));
  EXPECT_EQ(hold.state(), State::kIdle);
  EXPECT_EQ(hold.deadline(), Hold::kNever);
  EXPECT_EQ(hold.on_application_end(), kExit);
}

TEST_F(HoldTest, IdleIgnoresCommandsThatNeedAHold) {
  for (const auto one : {Command::kDisarm, Command::kClaim, Command::kStop, Command::kRelease}) {
    EXPECT_EQ(command(one, 5), kNothing);
    EXPECT_EQ(hold.state(), State::kIdle);
  }
  EXPECT_EQ(signal(kTerm), application(kTerm));
}

TEST_F(HoldTest, ArmedHoldsTheStopSignalFromOutsideAndNothingElse) {
  arm();
  EXPECT_EQ(signal(kHup), application(kHup));
  EXPECT_EQ(signal(kQuit), application(kQuit));
  EXPECT_EQ(signal(kTerm, kInside), application(kTerm));
  EXPECT_EQ(hold.state(), State::kArmed);
  EXPECT_EQ(signal(kTerm), kNothing);
  EXPECT_EQ(hold.state(), State::kHeld);
}

TEST_F(HoldTest, ArmedIgnoresClaimStopAndRelease) {
  arm();
  for (const auto one : {Command::kClaim, Command::kStop, Command::kRelease})
    EXPECT_EQ(command(one, 5), kNothing);
  EXPECT_EQ(hold.state(), State::kArmed);
}

TEST_F(HoldTest, ArmedEndsAtOnceWithTheApplication) {
  arm();
  EXPECT_EQ(hold.on_application_end(), kExit);
}

TEST_F(HoldTest, TheImagesOwnStopSignalIsHeld) {
  arm(kQuit);
  EXPECT_EQ(signal(kTerm), application(kTerm));
  EXPECT_EQ(signal(kQuit), kNothing);
  EXPECT_EQ(hold.state(), State::kHeld);
  EXPECT_EQ(after(8'000), application(kQuit));
}

TEST_F(HoldTest, ArmingAgainTakesOtherParameters) {
  arm(kQuit, 10);
  arm(kTerm, 20);
  EXPECT_EQ(signal(kQuit), application(kQuit));
  EXPECT_EQ(signal(kTerm), kNothing);
  EXPECT_EQ(hold.deadline(), now + 2'000);
}

TEST_F(HoldTest, AnImpossibleStopSignalIsTerm) {
  arm(200);
  EXPECT_EQ(signal(kTerm), kNothing);
  EXPECT_EQ(hold.state(), State::kHeld);
}

TEST_F(HoldTest, DisarmedIsIdle) {
  arm();
  EXPECT_EQ(command(Command::kDisarm), kNothing);
  EXPECT_EQ(hold.state(), State::kIdle);
  EXPECT_EQ(signal(kTerm), application(kTerm));
}

TEST_F(HoldTest, UnclaimedIsPassedOnAtTheTimeout) {
  hold_it();
  EXPECT_EQ(after(7'999), kNothing);
  EXPECT_EQ(hold.state(), State::kHeld);
  EXPECT_EQ(after(1), application(kTerm));
  EXPECT_EQ(hold.state(), State::kIdle);
  EXPECT_EQ(hold.deadline(), Hold::kNever);
  EXPECT_EQ(signal(kTerm), application(kTerm));  // the engine's second one
  EXPECT_EQ(hold.on_application_end(), kExit);
}

TEST_F(HoldTest, OneHoldSwallowsBothSignalsOfAStoppingEngine) {
  hold_it();
  EXPECT_EQ(signal(kTerm), kNothing);
  command(Command::kClaim, 60);
  EXPECT_EQ(signal(kTerm), kNothing);
  EXPECT_EQ(hold.state(), State::kClaimed);
  // While a stop_command runs too: the entry script must not take both programs down.
  EXPECT_EQ(command(Command::kStop, kStopNothing), kNothing);
  EXPECT_EQ(signal(kTerm), kNothing);
  EXPECT_EQ(signal(kHup), application(kHup));
  EXPECT_EQ(hold.state(), State::kStopping);
}

TEST_F(HoldTest, ClaimedWaitsUntilItsDeadlineAndThenActsAsTini) {
  claim(30);
  EXPECT_EQ(after(29'999), kNothing);
  EXPECT_EQ(after(1), application(kTerm));
  EXPECT_EQ(hold.state(), State::kIdle);
  EXPECT_EQ(hold.on_application_end(), kExit);
}

TEST_F(HoldTest, ClaimingAgainMovesTheDeadline) {
  claim(30);
  after(20'000);
  command(Command::kClaim, 30);
  EXPECT_EQ(hold.deadline(), now + 30'000);
  EXPECT_EQ(hold.state(), State::kClaimed);
}

TEST_F(HoldTest, AnApplicationThatDiesWhileHeldIsKept) {
  hold_it();
  EXPECT_EQ(hold.on_application_end(), kNothing);
  EXPECT_EQ(hold.state(), State::kFlushing);
  EXPECT_EQ(signal(kTerm), kNothing);
  EXPECT_EQ(after(8'000), kExit);  // nobody claimed it
}

TEST_F(HoldTest, AnApplicationThatDiedWhileHeldCanBeClaimed) {
  hold_it();
  hold.on_application_end();
  command(Command::kClaim, 60);
  EXPECT_EQ(hold.state(), State::kFlushing);
  EXPECT_EQ(hold.deadline(), now + 60'000);
}

TEST_F(HoldTest, AnApplicationThatDiesWhileClaimedIsKept) {
  claim();
  EXPECT_EQ(hold.on_application_end(), kNothing);
  EXPECT_EQ(hold.state(), State::kFlushing);
  EXPECT_EQ(command(Command::kStop, kStopHeld), kNothing);
  EXPECT_EQ(hold.state(), State::kFlushing);
}

TEST_F(HoldTest, StopNeedsAClaim) {
  hold_it();
  EXPECT_EQ(command(Command::kStop, kStopHeld), kNothing);
  EXPECT_EQ(hold.state(), State::kHeld);
}

TEST_F(HoldTest, ARepeatedStopSignalsOnce) {
  stop();
  EXPECT_EQ(command(Command::kStop, kStopHeld), kNothing);
  EXPECT_EQ(command(Command::kStop, kKill), application(kKill));
  EXPECT_EQ(command(Command::kStop, kKill), kNothing);
  EXPECT_EQ(command(Command::kStop, kStopHeld), kNothing);
}

TEST_F(HoldTest, TheSignalFollowsAStopCommandThatFailed) {
  claim();
  EXPECT_EQ(command(Command::kStop, kStopNothing), kNothing);
  EXPECT_EQ(hold.state(), State::kStopping);
  EXPECT_EQ(command(Command::kStop, kStopHeld), application(kTerm));
}

TEST_F(HoldTest, StoppingPastItsDeadlineSignalsWhoWasNotSignalled) {
  claim(10);
  command(Command::kStop, kStopNothing);
  EXPECT_EQ(after(10'000), application(kTerm));
  EXPECT_EQ(hold.state(), State::kIdle);
}

TEST_F(HoldTest, StoppingPastItsDeadlineSignalsNobodyTwice) {
  claim(10);
  command(Command::kStop, kStopHeld);
  EXPECT_EQ(after(10'000), kNothing);
  EXPECT_EQ(hold.state(), State::kIdle);
  EXPECT_EQ(hold.on_application_end(), kExit);
}

TEST_F(HoldTest, FlushingLastsUntilTheDeadline) {
  flush();
  EXPECT_EQ(after(59'999), kNothing);
  EXPECT_EQ(after(1), kExit);
}

TEST_F(HoldTest, FlushingTakesNoSignals) {
  flush();
  for (int number = 1; number <= 64; ++number) EXPECT_EQ(signal(number), kNothing);
  EXPECT_EQ(hold.state(), State::kFlushing);
}

TEST_F(HoldTest, ReleasedEndsWhatStillRuns) {
  flush();
  EXPECT_FALSE(hold.awaits_the_rest());
  EXPECT_EQ(command(Command::kRelease, 20), everybody(kTerm));
  EXPECT_TRUE(hold.awaits_the_rest());
  EXPECT_EQ(after(1'999), kNothing);
  EXPECT_EQ(after(1), kExit);
}

TEST_F(HoldTest, ARepeatedReleaseNeitherSignalsNorProlongs) {
  flush();
  command(Command::kRelease, 20);
  after(1'000);
  EXPECT_EQ(command(Command::kRelease, 20), kNothing);
  EXPECT_EQ(hold.deadline(), now + 1'000);
  EXPECT_EQ(command(Command::kRelease, 1), kNothing);
  EXPECT_EQ(hold.deadline(), now + 100);
  EXPECT_EQ(command(Command::kClaim, 60), kNothing);
  EXPECT_EQ(hold.deadline(), now + 100);
  EXPECT_EQ(command(Command::kDisarm), kNothing);
}

TEST_F(HoldTest, ReleasedWithTheApplicationAliveKillsItAtTheEndOfTheGrace) {
  stop();
  EXPECT_EQ(command(Command::kRelease, 10), everybody(kTerm));
  EXPECT_EQ(hold.state(), State::kStopping);
  EXPECT_FALSE(hold.awaits_the_rest());
  EXPECT_EQ(after(1'000), everybody(kKill));
  EXPECT_EQ(hold.deadline(), Hold::kNever);
  EXPECT_EQ(hold.on_application_end(), kExit);
}

TEST_F(HoldTest, ReleasedWithTheApplicationAliveLetsTheOthersEndToo) {
  stop();
  command(Command::kRelease, 10);
  EXPECT_EQ(hold.on_application_end(), kNothing);
  EXPECT_TRUE(hold.awaits_the_rest());
  EXPECT_EQ(hold.state(), State::kFlushing);
  EXPECT_EQ(after(1'000), kExit);
}

TEST_F(HoldTest, AHoldMayBeReleasedUnclaimed) {
  hold_it();
  EXPECT_EQ(command(Command::kRelease, 0), everybody(kTerm));
  EXPECT_EQ(after(0), everybody(kKill));
}

TEST_F(HoldTest, DisarmedWhileHeldPassesTheSignalOn) {
  claim();
  EXPECT_EQ(command(Command::kDisarm), application(kTerm));
  EXPECT_EQ(hold.state(), State::kIdle);
}

TEST_F(HoldTest, DisarmedWhileFlushingEnds) {
  flush();
  EXPECT_EQ(command(Command::kDisarm), kExit);
}

TEST_F(HoldTest, ArmingDoesNotTouchAHold) {
  claim();
  EXPECT_EQ(command(Command::kArm, arm_argument(kQuit, 1)), kNothing);
  EXPECT_EQ(hold.state(), State::kClaimed);
  EXPECT_EQ(command(Command::kStop, kStopHeld), application(kTerm));
}

TEST_F(HoldTest, ACommandOfANewerAgentIsIgnored) {
  claim();
  for (std::uint32_t unknown = 6; unknown <= 0xff; ++unknown)
    EXPECT_EQ(hold.on_command(command_value(static_cast<Command>(unknown), 1), now), kNothing);
  EXPECT_EQ(hold.state(), State::kClaimed);
}

TEST_F(HoldTest, PassedOnItMayBeArmedAndHeldAgain) {
  hold_it();
  EXPECT_EQ(after(8'000), application(kTerm));
  hold_it();
  command(Command::kClaim, 60);
  EXPECT_EQ(command(Command::kStop, kStopHeld), application(kTerm));
}

}  // namespace
}  // namespace hive::init
