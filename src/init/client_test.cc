#include "init/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "init/testing/container.h"
#include "init/testing/wait.h"

namespace hive::init {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::Container;
using ::testing::HasSubstr;
using testing::Start;

struct ClientTest : ::testing::Test {
  ClientTest() {
    char name[] = "/tmp/hive-init-test-XXXXXX";
    directory = ::mkdtemp(name);
  }
  ~ClientTest() override { fs::remove_all(directory); }

  // hive-init with some bytes replaced by as many others, in all places.
  std::string patched(const std::string& from, const std::string& to) {
    std::ifstream in(HIVE_INIT, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(from.size(), to.size());
    int found = 0;
    for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1)) {
      bytes.replace(at, to.size(), to);
      ++found;
    }
    EXPECT_GT(found, 0);
    std::string path = directory + "/docker-init";
    std::ofstream(path, std::ios::binary) << bytes;
    fs::permissions(path, fs::perms(0755));
    return path;
  }
  static Start with(const std::string& init) {
    Start how;
    how.init = init;
    return how;
  }

  std::string directory;
};

TEST_F(ClientTest, KnowsTiniWhateverItIsCalled) {
  const std::string path = directory + "/docker-init";
  fs::copy("/usr/bin/tini-static", path);
  Container container(with(path));
  container.hear();
  const auto program = identify(container.pid());
  ASSERT_TRUE(program);
  EXPECT_FALSE(program->hive_init);
  EXPECT_EQ(program->name, "tini");
  const auto opened = Init::open(container.pid());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kFailedPrecondition);
  EXPECT_THAT(opened.error().message, HasSubstr("tini runs as PID 1"));
}

TEST_F(ClientTest, KnowsOtherProgramsByTheirFile) {
  const auto program = identify(::getpid());
  ASSERT_TRUE(program);
  EXPECT_FALSE(program->hive_init);
  EXPECT_EQ(program->name, "init_testing_test");
}

TEST_F(ClientTest, KnowsHiveInitWhoseFileWasReplaced) {
  const std::string path = directory + "/docker-init";
  fs::copy(HIVE_INIT, path);
  Container container(with(path));
  container.hear();
  std::ofstream(path + ".new") << "an upgrade";
  fs::rename(path + ".new", path);
  const auto opened = Init::open(container.pid());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->protocol(), 1U);
}

TEST_F(ClientTest, RefusesAProtocolThatItDoesNotSpeak) {
  // The descriptor after the note's name.
  const std::string name("hive-init\0\0\0", 12);
  Container container(
      with(patched(name + std::string("\1\0\0\0", 4), name + std::string("\2\0\0\0", 4))));
  container.hear();
  const auto opened = Init::open(container.pid());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kUnsupported);
  EXPECT_THAT(opened.error().message, HasSubstr("speaks protocol 2, this hive 1 to 1"));
}

TEST_F(ClientTest, AStateItDoesNotKnow) {
  Container container(with(patched(std::string("armed\0", 6), std::string("aimed\0", 6))));
  container.hear();
  const auto init = Init::open(container.pid());
  ASSERT_TRUE(init);
  ASSERT_TRUE(init->arm(SIGTERM));
  container.kill(SIGUSR1);
  container.hear();  // the command was before it
  auto state = init->state();
  while (state) state = init->state();
  EXPECT_EQ(state.error().code, Errc::kUnsupported);
  EXPECT_THAT(state.error().message, HasSubstr("in state aimed"));
}

TEST_F(ClientTest, OneThatHasNotSaidItsStateYet) {
  Container container(with(patched("hi1:", "xx1:")));
  container.hear();
  const auto init = Init::open(container.pid());
  ASSERT_TRUE(init);
  const auto state = init->state();
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Errc::kUnavailable);
  EXPECT_TRUE(retryable(state.error().code));
}

TEST_F(ClientTest, NobodyIsThere) {
  pid_t pid = 0;
  {
    Container container(with(HIVE_INIT));
    pid = container.pid();
  }
  EXPECT_EQ(Init::open(pid).error().code, Errc::kNotFound);
  EXPECT_EQ(identify(pid).error().code, Errc::kNotFound);
}

TEST_F(ClientTest, OneThatHasEndedIsGoneThoughNobodyHasWaitedForIt) {
  Container container(with(HIVE_INIT));
  container.hear();
  auto init = Init::open(container.pid());
  ASSERT_TRUE(init);
  container.tell("exit 0");
  while (!container.ended()) ::poll(nullptr, 0, 1);
  EXPECT_EQ(Init::open(container.pid()).error().code, Errc::kNotFound);
  // The handle from before reaches nobody either, now and when the pid is given out again.
  for (const bool reaped : {false, true}) {
    if (reaped) container.wait();
    EXPECT_EQ(init->state().error().code, Errc::kNotFound);
    EXPECT_EQ(init->arm(SIGTERM).error().code, Errc::kNotFound);
    EXPECT_EQ(init->claim(1s).error().code, Errc::kNotFound);
    EXPECT_EQ(init->release(0s).error().code, Errc::kNotFound);
  }
}

TEST_F(ClientTest, AFullSignalQueueIsSaid) {
  Container container(with(HIVE_INIT));
  container.hear();
  const auto init = Init::open(container.pid());
  ASSERT_TRUE(init);
  const rlimit none{0, 0};
  ASSERT_EQ(::prlimit(container.pid(), RLIMIT_SIGPENDING, &none, nullptr), 0);
  const auto sent = init->arm(SIGTERM);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::kUnavailable);
}

TEST_F(ClientTest, RefusesWhatCannotBe) {
  Container container(with(HIVE_INIT));
  container.hear();
  const auto init = Init::open(container.pid());
  ASSERT_TRUE(init);
  for (const int signal : {SIGKILL, SIGSTOP, SIGCHLD, SIGABRT, SIGSEGV, 33, -1, 65, 255})
    EXPECT_EQ(init->arm(signal).error().code, Errc::kInvalidArgument) << signal;
  EXPECT_EQ(init->arm(SIGTERM, 0ms).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(init->arm(SIGTERM, 2h).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(init->claim(0ms).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(init->claim(24h * 365).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(init->stop(65).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(init->stop(-1).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(init->release(-1ms).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(testing::wait_for(*init, State::kIdle), State::kIdle);
}

TEST_F(ClientTest, TheSignalsThatCanBeHeldAreThoseThatArePassedOn) {
  int holdables = 0;
  for (int signal = -5; signal <= 70; ++signal) holdables += holdable(signal) ? 1 : 0;
  EXPECT_EQ(holdables, 50);
  for (const int signal : {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGWINCH, 37, 64})
    EXPECT_TRUE(holdable(signal));
}

}  // namespace
}  // namespace hive::init
