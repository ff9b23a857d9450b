// What every init of a container must do: the same cases against hive-init and Debian's
// tini-static.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "init/testing/container.h"

namespace hive::init {
namespace {

using testing::Container;
using ::testing::HasSubstr;
using testing::Start;

struct Contract : ::testing::TestWithParam<const char*> {
  Start start(std::vector<std::string> options = {}) {
    Start how;
    how.init = GetParam();
    how.options = std::move(options);
    return how;
  }
  int exit_code(const Start& how, const std::string& last_words = "") {
    Container container(how);
    if (!last_words.empty()) {
      EXPECT_THAT(container.hear(), ::testing::StartsWith("ready"));
      container.tell(last_words);
    }
    const int code = container.wait();
    out = container.output();
    err = container.errors();
    return code;
  }
  int exit_code_of_options(const std::vector<std::string>& options) {
    Start how = start(options);
    how.options_only = true;
    return exit_code(how);
  }
  Start program(std::vector<std::string> words) {
    Start how = start();
    how.program = std::move(words);
    return how;
  }
  // Of a directory that the test has alone.
  std::string file(const std::string& name, const std::string& content, mode_t mode) {
    std::string path = directory + "/" + name;
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  Contract() {
    char name[] = "/tmp/hive-init-test-XXXXXX";
    directory = ::mkdtemp(name);
  }
  ~Contract() override { std::filesystem::remove_all(directory); }

  std::string directory, out, err;
};

std::uint64_t bit(int signal) { return std::uint64_t{1} << (signal - 1); }

// Everything but what nobody can catch, the init's own faults, the terminal's stops, SIGCHLD, and
// the C library's two.
bool is_passed_on(int signal) {
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
    case SIGCHLD:
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGSYS:
    case SIGTTIN:
    case SIGTTOU:
    case 32:
    case 33:
      return false;
    default:
      return true;
  }
}

TEST_P(Contract, EndsWithTheApplicationsExitCode) {
  for (const int code : {0, 1, 7, 126, 127, 128, 137, 255})
    EXPECT_EQ(exit_code(start(), "exit " + std::to_string(code)), code);
}

TEST_P(Contract, AnEndBySignalIsOneHundredAndTwentyEightMore) {
  for (const int signal : {SIGHUP, SIGABRT, SIGKILL, SIGSEGV, SIGTERM, SIGRTMAX})
    EXPECT_EQ(exit_code(start(), "die " + std::to_string(signal)), 128 + signal);
}

TEST_P(Contract, NoSuchProgramIs127) {
  EXPECT_EQ(exit_code(program({"/no/such/program"})), 127);
  EXPECT_THAT(err, HasSubstr("exec /no/such/program failed: No such file or directory\n"));
  EXPECT_EQ(exit_code(program({"no-such-program"})), 127);
  EXPECT_THAT(err, HasSubstr("exec no-such-program failed: No such file or directory\n"));
  EXPECT_EQ(exit_code(program({""})), 127);
  EXPECT_EQ(out, "");
}

TEST_P(Contract, AProgramThatMayNotRunIs126) {
  const std::string path = file("data", "#!/bin/sh\n", 0644);
  EXPECT_EQ(exit_code(program({path})), 126);
  EXPECT_THAT(err, HasSubstr("exec " + path + " failed: Permission denied\n"));
  EXPECT_EQ(exit_code(program({directory})), 126);
}

TEST_P(Contract, OtherFailuresToStartAreOne) {
  const std::string path = directory + "/loop";
  std::filesystem::create_symlink(path, path);
  EXPECT_EQ(exit_code(program({path})), 1);
  EXPECT_THAT(err, HasSubstr("exec " + path + " failed: Too many levels of symbolic links\n"));
}

TEST_P(Contract, AScriptWithoutInterpreterIsAShellScript) {
  const std::string path = file("script", "echo \"$0 $# $2\"; exit 5\n", 0755);
  EXPECT_EQ(exit_code(program({path, "one", "two words"})), 5);
  EXPECT_EQ(out, path + " 2 two words\n");
}

TEST_P(Contract, SearchesPathAsExecvpDoes) {
  file("found", "#!/bin/sh\nexit 9\n", 0755);
  file("denied", "#!/bin/sh\nexit 9\n", 0644);
  Start how = program({"found"});
  how.environment = {"A=b", "PATH=/nowhere::/dev/null:" + directory + ":/bin"};
  EXPECT_EQ(exit_code(how), 9);
  how.program = {"denied"};
  EXPECT_EQ(exit_code(how), 126);
  how.program = {"sh", "-c", "exit 4"};
  EXPECT_EQ(exit_code(how), 4);
  how.environment = {};  // then /bin and /usr/bin
  EXPECT_EQ(exit_code(how), 4);
  how.environment = {"PATH="};  // then the working directory
  EXPECT_EQ(exit_code(how), 127);
  how.program = {"found"};
  how.directory = directory;
  EXPECT_EQ(exit_code(how), 9);
}

TEST_P(Contract, ArgumentsAndEnvironmentArriveUntouched) {
  Start how = program({HIVE_PROBE, "-v", "--", "", "a b"});
  how.environment = {"PROBE=x y", "TINI_SUBREAPER="};
  Container container(how);
  EXPECT_THAT(container.hear(), HasSubstr("env=x y args= -v --  a b"));
}

TEST_P(Contract, PassesEverySignalOnThatItCan) {
  Container container(start());
  container.hear();
  for (int signal = 1; signal <= 64; ++signal) {
    if (!is_passed_on(signal)) continue;
    container.kill(signal);
    EXPECT_EQ(container.hear(), "signal " + std::to_string(signal));
  }
}

TEST_P(Contract, KeepsTheOthersToItself) {
  Container container(start());
  container.hear();
  for (int signal = 1; signal <= 64; ++signal)
    if (!is_passed_on(signal) && signal != SIGKILL && signal != SIGSTOP) container.kill(signal);
  // The highest number: pending signals are taken from the lowest on.
  container.kill(SIGRTMAX);
  EXPECT_EQ(container.hear(), "signal 64");
}

TEST_P(Contract, PassesSignalsFromInsideOnToo) {
  Container container(start());
  container.hear();
  for (const int signal : {SIGTERM, SIGHUP, SIGRTMAX}) {
    container.tell("kill 1 " + std::to_string(signal));
    std::string first = container.hear(), second = container.hear();
    if (first.starts_with("signal")) std::swap(first, second);
    EXPECT_EQ(first, "killed 0");
    EXPECT_EQ(second, "signal " + std::to_string(signal));
  }
}

TEST_P(Contract, AQueuedSignalIsPassedOn) {
  Container container(start());
  container.hear();
  container.queue(0x1234);
  EXPECT_EQ(container.hear(), "signal 64");
  EXPECT_THAT(container.ask("queue 1234"), ::testing::AnyOf("queued 0", "signal 64"));
}

TEST_P(Contract, TheApplicationStartsWithTheSignalsThatTheInitFound) {
  Start how = start();
  how.blocked = bit(SIGUSR1) | bit(SIGTERM) | bit(40);
  how.ignored = {SIGHUP, SIGTTOU, SIGINT};
  Container container(how);
  char expected[80];
  std::snprintf(expected, sizeof expected, "blocked=%llx ignored=%llx ",
                static_cast<unsigned long long>(how.blocked),
                static_cast<unsigned long long>(bit(SIGHUP) | bit(SIGTTOU) | bit(SIGINT)));
  EXPECT_THAT(container.hear(), HasSubstr(expected));
}

TEST_P(Contract, AndWithNoneBlockedWhenThereWereNone) {
  Container container(start());
  EXPECT_THAT(container.hear(), HasSubstr("blocked=0 ignored=0 "));
}

TEST_P(Contract, TheApplicationHasAProcessGroupOfItsOwn) {
  Container container(start());
  EXPECT_THAT(container.hear(), HasSubstr("ready ppid=1 own_group=1 own_session=0 foreground=0"));
}

TEST_P(Contract, AndTheTerminalWhereThereIsOne) {
  Start how = start();
  how.terminal = true;
  Container container(how);
  EXPECT_THAT(container.hear(), HasSubstr("own_group=1 own_session=0 foreground=1"));
  container.kill(SIGINT);
  EXPECT_EQ(container.hear(), "signal 2");
}

TEST_P(Contract, ReapsOrphans) {
  Container container(start());
  container.hear();
  for (int i = 0; i < 50; ++i) {
    const std::string said = container.ask("zombie");
    ASSERT_THAT(said, ::testing::StartsWith("zombie "));
    // A zombie can be signalled, a reaped process cannot (ESRCH).
    const std::string question = "kill " + said.substr(7) + " 0";
    std::string answer = container.ask(question);
    for (int tries = 0; answer == "killed 0" && tries < 100'000; ++tries)
      answer = container.ask(question);
    EXPECT_EQ(answer, "killed 3");
  }
}

TEST_P(Contract, EndsWithTheApplicationThoughOrphansLive) {
  Container container(start());
  container.hear();
  container.ask("orphan");
  container.tell("exit 6");
  EXPECT_EQ(container.wait(), 6);
}

TEST_P(Contract, AStoppedApplicationHasNotEnded) {
  Container container(start());
  container.hear();
  container.tell("pause");
  while (container.state_of_child() != 'T') ::poll(nullptr, 0, 1);
  EXPECT_FALSE(container.ended());
  container.kill(SIGCONT);
  EXPECT_EQ(container.hear(), "resumed");
  EXPECT_EQ(container.hear(), "signal 18");
}

TEST_P(Contract, SignalsGoToTheApplicationAlone) {
  Container container(start());
  container.hear();
  container.ask("companion-deaf");
  container.kill(SIGTERM);
  EXPECT_EQ(container.hear(), "signal 15");
  container.kill(SIGRTMAX);
  EXPECT_EQ(container.hear(), "signal 64");
}

TEST_P(Contract, OrToItsWholeGroup) {
  for (const bool by_option : {true, false}) {
    Start how = by_option ? start({"-g"}) : start();
    if (!by_option) how.environment = {"TINI_KILL_PROCESS_GROUP=1"};
    Container container(how);
    container.hear();
    container.ask("companion-deaf");
    container.kill(SIGUSR1);
    std::string both = container.hear() + ", " + container.hear();
    EXPECT_THAT(
        both, ::testing::AnyOf("signal 10, companion signal 10", "companion signal 10, signal 10"));
  }
}

TEST_P(Contract, AsASubreaperItReapsWithoutBeingPid1) {
  for (const bool by_option : {true, false}) {
    Start how = by_option ? start({"-s"}) : start();
    how.own_namespace = false;
    if (!by_option) how.environment = {"TINI_SUBREAPER="};
    Container container(how);
    container.hear();
    const std::string said = container.ask("zombie");
    const std::string question = "kill " + said.substr(7) + " 0";
    std::string answer = container.ask(question);
    for (int tries = 0; answer == "killed 0" && tries < 100'000; ++tries)
      answer = container.ask(question);
    EXPECT_EQ(answer, "killed 3");
    container.tell("exit 0");
    EXPECT_EQ(container.wait(), 0);
    EXPECT_EQ(container.errors(), "");
  }
}

TEST_P(Contract, SaysThatItCannotReapWhereItCannot) {
  Start how = start();
  how.own_namespace = false;
  EXPECT_EQ(exit_code(how, "exit 0"), 0);
  EXPECT_THAT(err, HasSubstr("-s"));
  EXPECT_THAT(err, HasSubstr("TINI_SUBREAPER"));
  how.environment = {"TINI_VERBOSITY=0"};
  EXPECT_EQ(exit_code(how, "exit 0"), 0);
  EXPECT_EQ(err, "");
}

TEST_P(Contract, TheParentsDeathCanBeASignal) {
  Start how = start({"-p", "SIGUSR2"});
  how.parent_ends = true;
  Container container(how);
  container.hear();
  container.end_parent();
  EXPECT_EQ(container.hear(), "signal 12");
}

TEST_P(Contract, ExitCodesCanBeRemapped) {
  EXPECT_EQ(exit_code(start({"-e", "143", "-e", "7", "-e255"}), "die 15"), 0);
  EXPECT_EQ(exit_code(start({"-e", "143", "-e", "7", "-e255"}), "exit 7"), 0);
  EXPECT_EQ(exit_code(start({"-e", "143", "-e", "7", "-e255"}), "exit 255"), 0);
  EXPECT_EQ(exit_code(start({"-e", "143", "-e", "7", "-e255"}), "exit 8"), 8);
}

TEST_P(Contract, BadOptionsAreRefused) {
  const std::vector<std::vector<std::string>> bad = {{"-e", "256", "true"},
                                                     {"-e", "x", "true"},
                                                     {"-e", "-1", "true"},
                                                     {"-e"},
                                                     {"-p", "TERM", "true"},
                                                     {"-p", "SIGNO", "true"},
                                                     {"-p"},
                                                     {"-Z", "true"},
                                                     {},
                                                     {"-g"},
                                                     {"--"}};
  for (const auto& options : bad) {
    EXPECT_EQ(exit_code_of_options(options), 1) << ::testing::PrintToString(options);
    EXPECT_NE(err, "") << ::testing::PrintToString(options);
    EXPECT_EQ(out, "") << ::testing::PrintToString(options);
  }
}

TEST_P(Contract, HelpAndVersion) {
  EXPECT_EQ(exit_code_of_options({"-h"}), 0);
  EXPECT_THAT(out, HasSubstr("Usage"));
  EXPECT_EQ(err, "");
  EXPECT_EQ(exit_code_of_options({"--version"}), 0);
  EXPECT_NE(out, "");
}

TEST_P(Contract, OptionsInOneWordAndAProgramWithoutDashes) {
  EXPECT_EQ(exit_code_of_options({"-sg", "-ve7", "/bin/sh"}), 0);
  EXPECT_THAT(out, HasSubstr("Spawned child process '/bin/sh' with pid '2'\n"));
  EXPECT_THAT(out, HasSubstr("Main child exited normally (with status '0')\n"));
}

TEST_P(Contract, SaysWhatItReapsWhenAsked) {
  Container container(start({"-w"}));
  container.hear();
  const std::string said = container.ask("zombie");
  const std::string pid = said.substr(7);
  while (container.ask("kill " + pid + " 0") == "killed 0") {
  }
  container.tell("exit 0");
  EXPECT_EQ(container.wait(), 0);
  EXPECT_THAT(container.errors(), HasSubstr("Reaped zombie process with pid=" + pid + "\n"));
}

TEST_P(Contract, AsAnotherUser) {
  Start how = start();
  how.user = 65534;
  Container container(how);
  container.hear();
  EXPECT_EQ(container.ask("id"), "id 65534 65534");
  container.kill(SIGTERM);
  EXPECT_EQ(container.hear(), "signal 15");
  container.tell("exit 3");
  EXPECT_EQ(container.wait(), 3);
}

TEST_P(Contract, KillEndsAllOfIt) {
  Container container(start());
  container.hear();
  container.ask("orphan");
  container.kill(SIGKILL);
  EXPECT_EQ(container.wait(), 137);
  EXPECT_EQ(container.hear(), "");  // the socket's other end is closed: nobody is left
}

TEST_P(Contract, SaysNothingOfItsOwn) {
  EXPECT_EQ(exit_code(start(), "exit 0"), 0);
  EXPECT_EQ(out, "");
  EXPECT_EQ(err, "");
}

INSTANTIATE_TEST_SUITE_P(Inits, Contract, ::testing::Values(HIVE_INIT, "/usr/bin/tini-static"),
                         [](const auto& one) {
                           return std::string(one.param).ends_with("hive-init") ? "hive_init"
                                                                                : "tini_static";
                         });

// "No larger and no heavier than tini's static build."
TEST(Weight, NoLargerAndNoHeavierThanTini) {
  const auto size = [](const char* path) { return std::filesystem::file_size(path); };
  EXPECT_LE(size(HIVE_INIT), size("/usr/bin/tini-static"));
  const auto memory = [](const char* path) {
    Start how;
    how.init = path;
    Container container(how);
    container.hear();
    return testing::memory_of(container.pid());
  };
  const auto ours = memory(HIVE_INIT), theirs = memory("/usr/bin/tini-static");
  ASSERT_GT(ours.rss, 0);
  EXPECT_LE(ours.rss, theirs.rss);
  EXPECT_LE(ours.pss, theirs.pss);
  EXPECT_LE(ours.private_dirty, theirs.private_dirty);
}

}  // namespace
}  // namespace hive::init
