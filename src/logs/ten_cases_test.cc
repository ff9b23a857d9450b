// Ten ways in which log lines get lost, and that they do not here. Cases that are Filebeat's are in
// filebeat_test.cc too, under the same numbers.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <atomic>
#include <condition_variable>
#include <set>
#include <thread>

#include "base/text.h"
#include "logs/testing/collector_fixture.h"

namespace hive::logs {
namespace {

using TenCases = testing::CollectorFixture;

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + " of the application\n";
  return text;
}

// Killed at every single call to its destination in turn, with SIGKILL, as a real process.
TEST_F(TenCases, Case1_CollectorKilledBetweenReadAndAcknowledgement) {
  const auto log = base_ / "json/c1-json.log";
  std::string output;
  int kills = 0;
  for (int call = 0; call < 25; ++call) {
    append(source("a.log"), lines(call * 10, call * 10 + 10));
    append(log, json_line("out " + std::to_string(call) + "\\n", "stdout"));
    append(log, json_line("err " + std::to_string(call) + "\\n", "stderr"));
    output += "out " + std::to_string(call) + "\n";
    if (call % 8 == 7)
      std::filesystem::rename(source("a.log"), source("a" + std::to_string(call) + ".log"));
    const pid_t child = ::fork();
    if (child == 0) {
      int left = call;
      faults_->before_call = [&left] {
        if (left-- == 0) ::raise(SIGKILL);
      };
      begin();
      WatchedContainer both = container();
      both.json_log = log.string();
      collector_->watch(both);
      for (int i = 0; i < 6; ++i) turn();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    kills += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_GE(kills, 10);
  begin();
  WatchedContainer both = container();
  both.json_log = log.string();
  collector_->watch(both);
  turn();
  EXPECT_TRUE(proven());
  // Each line once, and in order within its file, whatever destination files they are in: a file
  // that was met after its rotation has the name it had then.
  std::multiset<std::string> found;
  std::string out;
  for (int i = 1; i < 40; ++i)
    out += os::read_file(stored(i == 1 ? "stdout.log" : "stdout.log~" + std::to_string(i)))
               .value_or("");
  for (const auto& file : std::filesystem::directory_iterator(stored("logs"))) {
    const std::string text = read(file.path());
    int last = -1;
    for (const std::string& line : split(text, '\n')) {
      if (line.empty()) continue;
      found.insert(line);
      const int number = std::stoi(line.substr(5));
      EXPECT_GT(number, last) << file.path();
      last = number;
    }
  }
  std::multiset<std::string> expected;
  for (const std::string& line : split(lines(0, 250), '\n'))
    if (!line.empty()) expected.insert(line);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(out, output);
}

TEST_F(TenCases, Case1_LostPositionsAreFoundAgainFromTheDestination) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  turn();
  turn();
  collector_.reset();
  std::filesystem::remove_all(base_ / "state");
  std::filesystem::create_directory(base_ / "state");
  append(source("a.log"), lines(10, 20));
  begin();
  collector_->watch(container());
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 20));
  EXPECT_FALSE(std::filesystem::exists(stored("logs/a.log~2")));
}

TEST_F(TenCases, Case1_HalfAPositionsFileIsNotBelieved) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  turn();
  turn();
  collector_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(base_ / "state"))
    std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
  begin();
  collector_->watch(container());
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 10));
}

// The receiver took it and lost it: an fsync that fails. What was not durable is written again.
TEST_F(TenCases, Case2_ReceiverDiesAfterAccepting) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  EXPECT_TRUE(proven());
  faults_->sync_fails = true;
  append(source("a.log"), lines(10, 20));
  EXPECT_FALSE(proven());
  EXPECT_EQ(collector_->delivery("c1").bytes_safe, lines(0, 10).size());
  EXPECT_EQ(collector_->delivery("c1").bytes_missing(), lines(10, 20).size());
  // What the destination kept of it is anybody's guess.
  append(stored("logs/a.log"), "torn");
  faults_->sync_fails = false;
  turn(Milliseconds(60'000));
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 20));
}

TEST_F(TenCases, Case3_ContainerRemovedOrLogRotatedBeforeTheTailIsRead) {
  const auto log = base_ / "json/c1-json.log";
  append(source("a.log"), lines(0, 10));
  append(log, json_line("begin\\n", "stdout"));
  WatchedContainer both = container();
  both.json_log = log.string();
  collector_->watch(both);
  turn();
  append(source("a.log"), lines(10, 20));
  append(log, json_line("end\\n", "stdout"));
  std::filesystem::rename(source("a.log"), source("a.log.1"));
  std::filesystem::remove_all(base_ / "root");  // all that Docker does
  std::filesystem::remove_all(base_ / "json");
  collector_->finish("c1");
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 20));
  EXPECT_EQ(read(stored("stdout.log")), "begin\nend\n");
  const Delivery after = collector_->delivery("c1");
  EXPECT_EQ(after.bytes_seen, after.bytes_safe);
}

// While no collector ran, the file was removed and another got its inode and its name.
TEST_F(TenCases, Case4_InodeReused) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  turn();
  turn();
  collector_.reset();
  // The same inode for certain: the same file, with other content, longer than what was read.
  { std::ofstream(source("a.log"), std::ios::trunc) << lines(100, 130); }
  begin();
  collector_->watch(container());
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 10));
  EXPECT_EQ(read(stored("logs/a.log~2")), lines(100, 130));
}

TEST_F(TenCases, Case5_LastLineWithoutNewlineAndShortFiles) {
  append(source("a.log"), "short");
  append(source("empty.log"), "");
  collector_->watch(container());
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), "short");
}

TEST_F(TenCases, Case5_LastHalfLineOfTheOutputIsKeptAtTheEnd) {
  const auto log = base_ / "json/c1-json.log";
  append(log, json_line("no newline at the end", "stdout"));
  append(log, R"({"log":"the engine died in the mid)");
  collector_->watch(json_container());
  turn();
  EXPECT_FALSE(proven());
  collector_->finish("c1");
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("stdout.log")),
            R"(no newline at the end{"log":"the engine died in the mid)");
}

// One write of several is refused half-way: the rest follows, nothing twice.
TEST_F(TenCases, Case6_ReceiverRefusesOneItemOfABatch) {
  const auto log = base_ / "json/c1-json.log";
  append(source("a.log"), lines(0, 100));
  append(log, json_line("out\\n", "stdout") + json_line("err\\n", "stderr"));
  WatchedContainer both = container();
  both.json_log = log.string();
  faults_->short_append = 2;
  collector_->watch(both);
  turn();
  EXPECT_FALSE(proven());
  EXPECT_TRUE(said("log_destination_fault"));
  faults_->short_append = SIZE_MAX;
  faults_->no_space = false;
  turn(Milliseconds(60'000));
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 100));
  EXPECT_EQ(read(stored("stdout.log")), "out\n");
  EXPECT_EQ(read(stored("stderr.log")), "err\n");
}

// The agent dies while a stop waits for the lines: its successor's proof is its own.
TEST_F(TenCases, Case7_RestartDuringTheWait) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  turn();
  collector_->hurry("c1");
  faults_->no_space = true;
  append(source("a.log"), lines(10, 20));
  const MonotonicTime writers_gone = clock_.now();
  turn();
  EXPECT_FALSE(collector_->delivery("c1").proven(writers_gone));
  begin();
  EXPECT_FALSE(collector_->delivery("c1").proven(writers_gone)) << "proven by knowing nothing";
  collector_->watch(container());
  EXPECT_FALSE(collector_->delivery("c1").proven(writers_gone)) << "proven without a look";
  collector_->hurry("c1");
  turn();
  EXPECT_FALSE(collector_->delivery("c1").proven(writers_gone));
  faults_->no_space = false;
  turn(Milliseconds(60'000));
  turn();
  EXPECT_TRUE(collector_->delivery("c1").proven(writers_gone));
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 20));
}

TEST_F(TenCases, Case8_ShortfallAtADeadlineIsExact) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  EXPECT_TRUE(proven());
  faults_->no_space = true;
  append(source("a.log"), lines(10, 1'000));
  append(source("b.log"), "never seen by the destination\n");
  collector_->hurry("c1");
  turn();
  const Delivery delivery = collector_->delivery("c1");
  EXPECT_EQ(delivery.bytes_safe, lines(0, 10).size());
  EXPECT_EQ(delivery.bytes_missing(), lines(10, 1'000).size() + 30);
  ASSERT_EQ(delivery.undelivered.size(), 2U);
  EXPECT_EQ(delivery.undelivered[0].file, "/logs/a.log");
  EXPECT_EQ(delivery.undelivered[0].bytes, lines(10, 1'000).size());
  EXPECT_NE(delivery.undelivered[0].why.find("No space left"), std::string::npos);
}

// A request that came after the drain began writes its line after the first proof.
TEST_F(TenCases, Case9_LineWrittenAfterTheFirstProof) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  EXPECT_TRUE(proven());
  const MonotonicTime writers_gone = clock_.now();
  append(source("a.log"), lines(10, 11));
  EXPECT_FALSE(collector_->delivery("c1").proven(writers_gone)) << "an old look proves nothing";
  turn();
  turn();
  EXPECT_TRUE(collector_->delivery("c1").proven(writers_gone));
  EXPECT_GT(collector_->delivery("c1").stable_since, writers_gone);
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 11));
}

TEST_F(TenCases, Case10_DiskFull) {
  const auto disk = base_ / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "mounting a small tmpfs needs root";
  WatchedContainer shared = container();
  shared.policy.destination = disk.string();
  append(disk / "other", std::string(40'000, 'x'));
  const std::string text = lines(0, 1'500);
  append(source("a.log"), text);
  collector_->watch(shared);
  turn();
  turn();
  EXPECT_FALSE(proven());
  EXPECT_TRUE(said("log_destination_fault"));
  const auto states = collector_->destinations();
  ASSERT_EQ(states.size(), 1U);
  EXPECT_NE(states[0].fault.find("No space left on device"), std::string::npos);
  EXPECT_GT(states[0].bytes_waiting, 0U);
  // Room for all of it: remounted, since the other file alone is too small for the backlog.
  std::filesystem::remove(disk / "other");
  ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=1m"), 0);
  turn(Milliseconds(60'000));
  EXPECT_TRUE(proven());
  EXPECT_TRUE(said("log_destination_well"));
  EXPECT_EQ(read(disk / "shop_web/worker-1.2.task-c1/logs/a.log"), text);
  collector_.reset();
  ::umount(disk.c_str());
}

// A lease on its destination file makes the collector's open() wait in the kernel, as a share that
// does not answer would. Its threads run for real.
TEST_F(TenCases, Case10_DestinationStalls) {
  append(source("a.log"), lines(0, 10));
  collector_->watch(container());
  turn();
  turn();
  collector_.reset();
  ::signal(SIGIO, SIG_IGN);
  const int holder = ::open(stored("logs/a.log").c_str(), O_RDONLY);
  ASSERT_GE(holder, 0);
  if (::fcntl(holder, F_SETLEASE, F_RDLCK) != 0) GTEST_SKIP() << "no leases on this file system";

  const SystemClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> kinds;
  options_.stalled_after = Milliseconds(1);
  options_.sync_every = Milliseconds(1);
  options_.on_event = [&](const LogEvent& event) {
    const std::lock_guard lock(mutex);
    kinds.push_back(event.kind);
    changed.notify_all();
  };
  const auto wait_for = [&](const std::function<bool()>& true_now) {
    std::unique_lock lock(mutex);
    for (int i = 0; i < 3'000 && !true_now(); ++i) changed.wait_for(lock, Milliseconds(10));
    return true_now();
  };
  FileCollector threaded(options_, clock, [](const std::string& path, bool make) {
    return make_output_directory(path, make);
  });
  ASSERT_TRUE(threaded.start().has_value());
  append(source("a.log"), lines(10, 20));
  threaded.watch(container());
  EXPECT_TRUE(wait_for([&] {
    return std::find(kinds.begin(), kinds.end(), "log_destination_stalled") != kinds.end();
  }));
  // Another destination goes on, and so do those who ask.
  WatchedContainer other = container("c2");
  std::filesystem::create_directory(base_ / "other");
  other.policy.destination = (base_ / "other").string();
  const MonotonicTime now = clock.now();
  threaded.watch(other);
  threaded.hurry("c2");
  EXPECT_TRUE(wait_for([&] { return threaded.delivery("c2").proven(now); }));
  EXPECT_FALSE(threaded.delivery("c1").proven(now));
  EXPECT_GT(threaded.delivery("c1").bytes_missing(), 0U);
  // The files were opened all the same: they may go now.
  std::filesystem::remove(source("a.log"));

  ::fcntl(holder, F_SETLEASE, F_UNLCK);
  ::close(holder);
  threaded.hurry("c1");
  EXPECT_TRUE(wait_for([&] { return threaded.delivery("c1").proven(now); }));
  threaded.stop();
  EXPECT_EQ(read(stored("logs/a.log")), lines(0, 20));
}

}  // namespace
}  // namespace hive::logs
