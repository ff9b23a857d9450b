// The hold, with real processes: hive-init as PID 1, the agent's client outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <memory>
#include <string>

#include "init/client.h"
#include "init/testing/container.h"
#include "init/testing/wait.h"

namespace hive::init {
namespace {

using namespace std::chrono_literals;
using testing::Container;
using testing::Start;
using testing::wait_for;

#define ASSERT_STATE(wanted) ASSERT_EQ(to_string(wait_for(*init, wanted)), to_string(wanted))

struct HoldContract : ::testing::Test {
  void begin(Start how = {}) {
    how.init = HIVE_INIT;
    container = std::make_unique<Container>(how);
    ASSERT_THAT(container->hear(), ::testing::StartsWith("ready"));
    reopen();
  }
  // As an agent that was started anew.
  void reopen() {
    init.reset();
    auto opened = Init::open(container->pid());
    ASSERT_TRUE(opened) << opened.error().message;
    init = std::make_unique<Init>(std::move(*opened));
  }
  void arm(int signal = 0, Milliseconds timeout = 8s) {
    ASSERT_TRUE(init->arm(signal, timeout));
    ASSERT_STATE(State::kArmed);
  }
  void hold(int signal = SIGTERM) {
    arm(signal);
    container->kill(signal);
    ASSERT_STATE(State::kHeld);
  }
  void claim(Milliseconds deadline = 300s) {
    hold();
    ASSERT_TRUE(init->claim(deadline));
    ASSERT_STATE(State::kClaimed);
  }
  // The application has heard nothing since it last spoke. Pending signals are taken from the
  // lowest number on, those of one number in turn: a command or signal that was sent before comes
  // first.
  void expect_unaware(int marker = kCommandSignal) {
    container->kill(marker);
    EXPECT_EQ(container->hear(), "signal " + std::to_string(marker));
  }

  std::unique_ptr<Container> container;
  std::unique_ptr<Init> init;
};

TEST_F(HoldContract, StartsIdleAndSpeaksTheProtocol) {
  begin();
  ASSERT_STATE(State::kIdle);
  EXPECT_EQ(init->protocol(), kProtocol);
  container->kill(SIGTERM);
  EXPECT_EQ(container->hear(), "signal 15");
}

TEST_F(HoldContract, TheWholeWay) {
  begin();
  hold();
  expect_unaware();
  ASSERT_TRUE(init->claim(300s));
  ASSERT_STATE(State::kClaimed);
  expect_unaware();
  ASSERT_TRUE(init->stop());
  EXPECT_EQ(container->hear(), "signal 15");
  ASSERT_STATE(State::kStopping);
  container->tell("exit 4");
  ASSERT_STATE(State::kFlushing);
  EXPECT_FALSE(container->ended());
  ASSERT_TRUE(init->release(5s));
  EXPECT_EQ(container->wait(), 4);
}

TEST_F(HoldContract, UnclaimedItIsPassedOn) {
  begin();
  arm(0, 100ms);
  container->kill(SIGTERM);
  EXPECT_EQ(container->hear(), "signal 15");
  ASSERT_STATE(State::kIdle);
  container->tell("exit 143");
  EXPECT_EQ(container->wait(), 143);
}

TEST_F(HoldContract, AClaimsDeadlinePassesItOn) {
  begin();
  hold();
  ASSERT_TRUE(init->claim(1s));
  EXPECT_EQ(container->hear(), "signal 15");
  ASSERT_STATE(State::kIdle);
}

TEST_F(HoldContract, AClaimsDeadlineEndsTheFlush) {
  begin();
  hold();
  ASSERT_TRUE(init->claim(1s));
  container->tell("exit 9");
  EXPECT_EQ(container->wait(), 9);
}

TEST_F(HoldContract, TheImagesOwnStopSignals) {
  for (const int signal : {SIGQUIT, SIGWINCH, SIGINT, SIGRTMIN + 3, kCommandSignal}) {
    begin();
    arm(signal);
    container->kill(SIGTERM);
    EXPECT_EQ(container->hear(), "signal 15");
    hold(signal);
    expect_unaware(signal == kCommandSignal ? 63 : kCommandSignal);
    ASSERT_TRUE(init->claim(300s));
    ASSERT_TRUE(init->stop());
    EXPECT_EQ(container->hear(), "signal " + std::to_string(signal));
  }
}

TEST_F(HoldContract, ASecondStopSignalDoesNotEndTheHold) {
  begin();
  hold();
  container->kill(SIGTERM);
  expect_unaware();
  ASSERT_TRUE(init->claim(300s));
  ASSERT_STATE(State::kClaimed);
  container->kill(SIGTERM);
  expect_unaware();
  ASSERT_TRUE(init->stop_without_signal());
  ASSERT_STATE(State::kStopping);
  container->kill(SIGTERM);
  expect_unaware();
}

TEST_F(HoldContract, OtherSignalsArePassedOnThroughout) {
  begin();
  claim();
  for (const int signal : {SIGHUP, SIGUSR2, SIGINT}) {
    container->kill(signal);
    EXPECT_EQ(container->hear(), "signal " + std::to_string(signal));
  }
  ASSERT_STATE(State::kClaimed);
}

TEST_F(HoldContract, ASignalFromInsideIsNoStop) {
  begin();
  arm();
  container->tell("kill 1 15");
  const std::string both = container->hear() + ", " + container->hear();
  EXPECT_THAT(both, ::testing::AnyOf("killed 0, signal 15", "signal 15, killed 0"));
  ASSERT_STATE(State::kArmed);
}

TEST_F(HoldContract, KillEndsEveryHold) {
  begin();
  claim();
  container->kill(SIGKILL);
  EXPECT_EQ(container->wait(), 137);
}

TEST_F(HoldContract, ArmedItEndsWithTheApplication) {
  begin();
  arm();
  container->tell("exit 5");
  EXPECT_EQ(container->wait(), 5);
}

TEST_F(HoldContract, AnApplicationThatDiesWhileClaimedIsKept) {
  begin();
  claim();
  container->tell("die 11");
  ASSERT_STATE(State::kFlushing);
  container->kill(SIGTERM);
  ASSERT_TRUE(init->stop());
  ASSERT_TRUE(init->release(0ms));
  EXPECT_EQ(container->wait(), 139);
}

// Tomcat with Filebeat beside it: Filebeat sends on until the end, and then may end in order.
TEST_F(HoldContract, OthersLiveOnThroughTheFlushAndAreStoppedAfterIt) {
  begin();
  container->ask("companion");
  claim();
  ASSERT_TRUE(init->stop());
  EXPECT_EQ(container->hear(), "signal 15");
  container->tell("exit 143");
  ASSERT_STATE(State::kFlushing);
  ASSERT_TRUE(init->release(300s));
  EXPECT_EQ(container->hear(), "companion signal 15");
  EXPECT_EQ(container->wait(), 143);  // at once, not after the grace
}

TEST_F(HoldContract, OthersThatDoNotStopAreKilled) {
  begin();
  container->ask("companion-deaf");
  claim();
  ASSERT_TRUE(init->stop());
  EXPECT_EQ(container->hear(), "signal 15");
  container->tell("exit 0");
  ASSERT_STATE(State::kFlushing);
  ASSERT_TRUE(init->release(100ms));
  EXPECT_EQ(container->hear(), "companion signal 15");
  EXPECT_EQ(container->wait(), 0);
  EXPECT_EQ(container->hear(), "");
}

// The entry script is the application here, and a stop_command has stopped what it runs.
TEST_F(HoldContract, ReleasedAnApplicationThatLivesOnIsStoppedThenKilled) {
  begin();
  claim();
  ASSERT_TRUE(init->stop_without_signal());
  expect_unaware();
  ASSERT_TRUE(init->release(100ms));
  EXPECT_EQ(container->hear(), "signal 15");
  EXPECT_EQ(container->wait(), 137);
}

TEST_F(HoldContract, AnApplicationThatIgnoresTheSignalCanBeKilledAndIsKept) {
  begin();
  claim();
  ASSERT_TRUE(init->stop());
  EXPECT_EQ(container->hear(), "signal 15");
  ASSERT_TRUE(init->stop());  // repeated: not sent twice
  expect_unaware();
  ASSERT_TRUE(init->stop(SIGKILL));
  ASSERT_STATE(State::kFlushing);
  ASSERT_TRUE(init->release(0ms));
  EXPECT_EQ(container->wait(), 137);
}

TEST_F(HoldContract, AnAgentStartedAnewGoesOn) {
  begin();
  hold();
  reopen();
  ASSERT_TRUE(init->claim(300s));
  ASSERT_STATE(State::kClaimed);
  reopen();
  ASSERT_TRUE(init->claim(300s));
  ASSERT_TRUE(init->stop());
  EXPECT_EQ(container->hear(), "signal 15");
  container->tell("exit 0");
  ASSERT_STATE(State::kFlushing);
  reopen();
  ASSERT_TRUE(init->release(1s));
  EXPECT_EQ(container->wait(), 0);
}

// Of those no SIGCHLD tells: `docker exec` starts them from outside.
TEST_F(HoldContract, ProcessesOfDockerExecAreStoppedToo) {
  begin();
  container->enter();
  claim();
  container->tell("exit 6");
  ASSERT_STATE(State::kFlushing);
  ASSERT_TRUE(init->release(300s));
  container->reap_entered();
  EXPECT_EQ(container->wait(), 6);
}

TEST_F(HoldContract, APidThatIsGivenOutAgainIsNotTheApplication) {
  begin();
  container->ask("heir");
  claim();
  container->tell("exit 5");
  EXPECT_EQ(container->hear(), "heir 2");
  ASSERT_STATE(State::kFlushing);
  ASSERT_TRUE(init->release(300s));
  EXPECT_EQ(container->wait(), 5);
}

// Both are there when init wakes up: the application's end and the stop signal.
TEST_F(HoldContract, AnApplicationThatHadEndedBeforeTheStopIsNotHeld) {
  begin();
  arm(SIGTERM, 1h);
  container->kill(SIGSTOP);
  container->tell("exit 5");
  while (container->state_of_child() != 'Z') ::poll(nullptr, 0, 1);
  container->kill(SIGTERM);
  container->kill(SIGCONT);
  EXPECT_EQ(container->wait(), 5);
}

TEST_F(HoldContract, DisarmedItIsIdleAgain) {
  begin();
  arm();
  ASSERT_TRUE(init->disarm());
  ASSERT_STATE(State::kIdle);
  container->kill(SIGTERM);
  EXPECT_EQ(container->hear(), "signal 15");
}

TEST_F(HoldContract, StopReachesTheWholeGroupWhenSignalsDo) {
  Start how;
  how.options = {"-g"};
  begin(how);
  container->ask("companion-deaf");
  claim();
  ASSERT_TRUE(init->stop());
  const std::string both = container->hear() + ", " + container->hear();
  EXPECT_THAT(both,
              ::testing::AnyOf("signal 15, companion signal 15", "companion signal 15, signal 15"));
}

TEST_F(HoldContract, WorksForAnotherUserWithoutRights) {
  Start how;
  how.user = 65534;
  begin(how);
  claim();
  ASSERT_TRUE(init->stop());
  EXPECT_EQ(container->hear(), "signal 15");
  container->tell("exit 2");
  ASSERT_STATE(State::kFlushing);
  ASSERT_TRUE(init->release(1s));
  EXPECT_EQ(container->wait(), 2);
}

TEST_F(HoldContract, TheExitCodeIsRemappedAfterAHoldToo) {
  Start how;
  how.options = {"-e", "143"};
  begin(how);
  claim();
  container->tell("die 15");
  ASSERT_STATE(State::kFlushing);
  ASSERT_TRUE(init->release(1s));
  EXPECT_EQ(container->wait(), 0);
}

TEST_F(HoldContract, ACommandFromInsideIsPassedOnLikeAnySignal) {
  begin();
  char line[32];
  std::snprintf(
      line, sizeof line, "queue %llx",
      static_cast<unsigned long long>(command_value(Command::kArm, arm_argument(15, 80))));
  container->tell(line);
  const std::string both = container->hear() + ", " + container->hear();
  EXPECT_THAT(both, ::testing::AnyOf("queued 0, signal 64", "signal 64, queued 0"));
  ASSERT_STATE(State::kIdle);
}

TEST_F(HoldContract, ACommandOfANewerAgentReachesNobody) {
  begin();
  container->queue(command_value(static_cast<Command>(77), 1));
  expect_unaware();
}

// Below another init it is an ordinary process: it holds nothing, and never signals everybody.
TEST_F(HoldContract, OnlyPid1Holds) {
  Start how;
  how.init = HIVE_INIT;
  how.program = {HIVE_INIT, "-s", "--", HIVE_PROBE};
  Container nested(how);
  ASSERT_THAT(nested.hear(), ::testing::StartsWith("ready ppid=2"));
  const std::string pid = std::to_string(nested.pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  pid_t inner = 0;
  ASSERT_TRUE(children >> inner);
  auto opened = Init::open(inner);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_TRUE(opened->arm(SIGTERM));
  EXPECT_EQ(nested.hear(), "signal 64");
  ::kill(inner, SIGTERM);
  EXPECT_EQ(nested.hear(), "signal 15");
}

}  // namespace
}  // namespace hive::init
