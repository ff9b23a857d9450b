#include "logs/collector.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logs/json_file.h"
#include "logs/testing/collector_fixture.h"

namespace hive::logs {
namespace {

using Collecting = testing::CollectorFixture;

TEST_F(Collecting, CopiesEachFileByteForByteUnderTheNameOfItsTask) {
  append(source("a.log"), "one\ntwo\n");
  append(source("b.log"), std::string("\0binary\n", 8));
  append(source("c.txt"), "not asked for\n");
  collector_->watch(container());
  turn();
  append(source("a.log"), "three\n");
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), "one\ntwo\nthree\n");
  EXPECT_EQ(read(stored("logs/b.log")), std::string("\0binary\n", 8));
  EXPECT_EQ(read(stored("logs/c.txt")), "<absent>");
  const Delivery delivery = collector_->delivery("c1");
  EXPECT_EQ(delivery.bytes_seen, 22U);
  EXPECT_EQ(delivery.bytes_safe, 22U);
}

TEST_F(Collecting, TasksOfOneSlotAndGlobalTasksNeverShareAFile) {
  append(source("a.log"), "line\n");
  WatchedContainer global = container("c3");
  global.slot = 0;
  for (const auto& one : {container("c1"), container("c2"), global}) collector_->watch(one);
  turn();
  turn();
  EXPECT_EQ(read(stored("logs/a.log", "task-c1")), "line\n");
  EXPECT_EQ(read(stored("logs/a.log", "task-c2")), "line\n");
  EXPECT_EQ(read(base_ / "store/shop_web/worker-1.global.task-c3/logs/a.log"), "line\n");
}

TEST_F(Collecting, NamesCannotLeadOutOfTheDestination) {
  WatchedContainer hostile = container();
  hostile.service = "../../etc";
  hostile.node = "..";
  hostile.task_id = "x/../y";
  EXPECT_EQ(task_directory(hostile), "_.._.._etc/_...2.x_.._y");
}

TEST_F(Collecting, SymbolicLinksStayInsideTheContainer) {
  append(base_ / "secret", "of the node\n");
  std::filesystem::create_symlink(base_ / "secret", source("out.log"));
  append(base_ / "root/inside", "of the container\n");
  std::filesystem::create_symlink("/inside", source("in.log"));
  collector_->watch(container());
  turn();
  turn();
  EXPECT_EQ(read(stored("logs/out.log")), "<absent>");
  EXPECT_EQ(read(stored("logs/in.log")), "of the container\n");
}

// As the agent looks: through the first process, whose root stays pinned when it has ended.
TEST_F(Collecting, ThroughTheContainersProcessAndBeyondItsEnd) {
  const pid_t process = ::fork();
  if (process == 0) {
    ::pause();
    ::_exit(0);
  }
  append(source("a.log"), "one\n");
  WatchedContainer running = container("/");  // a text that each process's cgroups have
  running.pid = process;
  running.upper_dir.clear();
  running.policy.paths = {(base_ / "root/logs/*.log").string()};
  collector_->watch(running);
  turn();
  ::kill(process, SIGKILL);
  ::waitpid(process, nullptr, 0);
  append(source("a.log"), "two\n");
  append(source("b.log"), "late\n");
  EXPECT_TRUE(proven("/"));
  const std::string directory = source("").string().substr(1);
  EXPECT_EQ(read(stored(directory + "a.log", "task-_")), "one\ntwo\n");
  EXPECT_EQ(read(stored(directory + "b.log", "task-_")), "late\n");

  EXPECT_EQ(ContainerRoot::of_process(::getpid(), "another container").error().code,
            Errc::kFailedPrecondition);
  EXPECT_EQ(ContainerRoot::of_process(process, "/").error().code, Errc::kNotFound);
}

TEST_F(Collecting, DevicesPipesAndCompressedFilesAreLeftAlone) {
  ASSERT_EQ(::mkfifo(source("pipe.log").c_str(), 0600), 0);
  append(source("old.log.gz"), "packed");
  WatchedContainer all = container();
  all.policy.paths = {"/logs/*"};
  collector_->watch(all);
  EXPECT_TRUE(proven());
  EXPECT_EQ(collector_->delivery("c1").bytes_seen, 0U);
}

TEST_F(Collecting, WildcardsInDirectoriesAndDirectoriesThatComeLater) {
  WatchedContainer deep = container();
  deep.policy.paths = {"/data/*/logs/*.log"};
  collector_->watch(deep);
  turn();
  std::filesystem::create_directories(base_ / "root/data/shop/logs");
  append(base_ / "root/data/shop/logs/x.log", "late\n");
  turn();
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("data/shop/logs/x.log")), "late\n");
}

TEST_F(Collecting, InotifyTellsOfNewFilesBetweenSearches) {
  collector_->watch(container());
  turn();
  append(source("new.log"), "at once\n");
  turn(Milliseconds(1));
  append(source("new.log"), "gone\n");
  std::filesystem::remove(source("new.log"));
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/new.log")), "at once\ngone\n");
}

TEST_F(Collecting, RotationByRenameContinuesInAnotherFile) {
  append(source("app.log"), "old\n");
  collector_->watch(container());
  turn();
  std::filesystem::rename(source("app.log"), source("app.log.1"));
  append(source("app.log.1"), "still to the old one\n");
  append(source("app.log"), "new\n");
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/app.log")), "old\nstill to the old one\n");
  EXPECT_EQ(read(stored("logs/app.log~2")), "new\n");
}

TEST_F(Collecting, TruncationBeginsAnotherFile) {
  append(source("app.log"), "before\n");
  collector_->watch(container());
  turn();
  std::filesystem::resize_file(source("app.log"), 0);
  append(source("app.log"), "after\n");
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/app.log")), "before\n");
  EXPECT_EQ(read(stored("logs/app.log~2")), "after\n");
  EXPECT_TRUE(said("log_file_truncated"));
  EXPECT_EQ(collector_->delivery("c1").bytes_safe, 13U);
}

TEST_F(Collecting, TruncatedAndWrittenToTheSameSizeIsSeen) {
  append(source("app.log"), "first!\n");
  collector_->watch(container());
  turn();
  std::filesystem::resize_file(source("app.log"), 0);
  append(source("app.log"), "second\n");
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/app.log~2")), "second\n");
}

TEST_F(Collecting, WriterThatKeepsItsPlaceLeavesAHoleThatIsNoLine) {
  const int fd = ::open(source("app.log").c_str(), O_CREAT | O_WRONLY, 0600);
  const std::string first(10'000, 'x');
  ASSERT_EQ(::write(fd, first.data(), first.size()), 10'000);
  collector_->watch(container());
  turn();
  ASSERT_EQ(::ftruncate(fd, 0), 0);
  ASSERT_EQ(::write(fd, "after\n", 6), 6);  // at 10000
  ::close(fd);
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/app.log~2")), "after\n");
}

TEST_F(Collecting, RotationByCopyingLosesNothingWrittenBeforeTheTruncation) {
  for (const std::string& glob : {std::string("/logs/*.log"), std::string("/logs/*")}) {
    SetUp();
    WatchedContainer watched = container();
    watched.policy.paths = {glob};
    append(source("app.log"), "one\n");
    collector_->watch(watched);
    turn();
    append(source("app.log"), "two, before the copy\n");  // and not looked at before the truncation
    std::filesystem::copy_file(source("app.log"), source("app.log.1"));
    std::filesystem::resize_file(source("app.log"), 0);
    append(source("app.log"), "three\n");
    turn();
    EXPECT_TRUE(proven());
    EXPECT_EQ(read(stored("logs/app.log")), "one\ntwo, before the copy\n") << glob;
    EXPECT_EQ(read(stored("logs/app.log~2")), "three\n") << glob;
    EXPECT_EQ(read(stored("logs/app.log.1")), "<absent>") << glob;
    EXPECT_FALSE(said("log_file_truncated"));
    collector_.reset();
    std::filesystem::remove_all(base_);
  }
  SetUp();
}

TEST_F(Collecting, FileThatOnlyBeginsLikeAnotherIsCarriedToo) {
  WatchedContainer all = container();
  all.policy.paths = {"/logs/*"};
  append(source("app.log"), "header\n");
  collector_->watch(all);
  turn();
  append(source("app.log.new"), "header\nanother\n");
  turn();
  turn(Milliseconds(11'000));
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/app.log.new")), "header\nanother\n");
}

TEST_F(Collecting, OutputIsDecodedWithItsStreamsApartAndLongLinesJoined) {
  const auto log = base_ / "json/c1-json.log";
  const std::string piece(16'384, 'x');
  append(log, json_line("plain \\\"quoted\\\" \\u003ctag\\u003e \\u00e9\\ttab\\n", "stdout"));
  append(log, json_line(piece, "stdout"));
  append(log, json_line("to stderr\\n", "stderr"));
  append(log, json_line("the end\\n", "stdout"));
  collector_->watch(json_container());
  turn();
  append(log, R"({"log":"half)");
  EXPECT_FALSE(proven()) << "half a line is not delivered";
  append(log, R"( a line\n","stream":"stdout","time":"t"})" + std::string("\n"));
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("stdout.log")),
            "plain \"quoted\" <tag> \xc3\xa9\ttab\n" + piece + "the end\nhalf a line\n");
  EXPECT_EQ(read(stored("stderr.log")), "to stderr\n");
}

TEST_F(Collecting, RotatedOutputIsReadOldestFirstAndFollowed) {
  const auto log = base_ / "json/c1-json.log";
  append(base_ / "json/c1-json.log.1", json_line("oldest\\n", "stdout"));
  struct timespec past[2] = {{1'000, 0}, {1'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (base_ / "json/c1-json.log.1").c_str(), past, 0), 0);
  append(log, json_line("older\\n", "stdout"));
  collector_->watch(json_container());
  turn();
  std::filesystem::rename(log, base_ / "json/c1-json.log.1");
  append(log, json_line("new\\n", "stdout"));
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("stdout.log")), "oldest\n");
  EXPECT_EQ(read(stored("stdout.log~2")), "older\n");
  EXPECT_EQ(read(stored("stdout.log~3")), "new\n");
}

TEST_F(Collecting, OneLogFileKeptMeansThatTheLiveOneIsUnlinked) {
  const auto log = base_ / "json/c1-json.log";
  append(log, json_line("first\\n", "stdout"));
  collector_->watch(json_container());
  turn();
  append(log, json_line("last before the rotation\\n", "stdout"));
  std::filesystem::remove(log);
  append(log, json_line("after\\n", "stdout"));
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("stdout.log")), "first\nlast before the rotation\n");
  EXPECT_EQ(read(stored("stdout.log~2")), "after\n");
  turn();
  for (const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    EXPECT_EQ(std::filesystem::read_symlink(fd.path(), gone).string().find("json.log (deleted)"),
              std::string::npos)
        << "its space is not given back";
  }
}

TEST_F(Collecting, LineThatIsNoJsonIsKeptAsItIs) {
  std::string out;
  std::string err;
  const std::string text =
      "garbage\n{\"log\":\"x\\q\",\"stream\":\"stdout\"}\n{\"stream\":\"stderr\"}\n{";
  EXPECT_EQ(decode_json_file(text, out, err), text.size() - 1);
  EXPECT_EQ(out, "garbage\n{\"log\":\"x\\q\",\"stream\":\"stdout\"}\n");
  EXPECT_EQ(err, "");
}

TEST_F(Collecting, LargeFilesAreContinuedInSegmentsAtLineEnds) {
  options_.segment_bytes = 20;
  begin();
  std::string all;
  for (int i = 0; i < 20; ++i) all += "line " + std::to_string(i) + "\n";
  append(source("a.log"), all);
  collector_->watch(container());
  turn();
  turn();
  EXPECT_TRUE(proven());
  std::string joined = read(stored("logs/a.log"));
  EXPECT_GE(joined.size(), 20U);
  EXPECT_LT(joined.size(), 30U);
  for (int i = 2; std::filesystem::exists(stored("logs/a.log~" + std::to_string(i))); ++i) {
    EXPECT_EQ(joined.back(), '\n');
    joined += read(stored("logs/a.log~" + std::to_string(i)));
  }
  EXPECT_EQ(joined, all);
}

TEST_F(Collecting, DestinationThatIsNotMountedIsAFaultAndNoDirectory) {
  WatchedContainer shared = container();
  shared.policy.destination = (base_ / "share").string();
  append(source("a.log"), "line\n");
  collector_->watch(shared);
  EXPECT_FALSE(proven());
  EXPECT_TRUE(said("log_destination_fault"));
  EXPECT_FALSE(std::filesystem::exists(base_ / "share"));
  const Delivery delivery = collector_->delivery("c1");
  ASSERT_EQ(delivery.undelivered.size(), 1U);
  EXPECT_EQ(delivery.undelivered[0].file, "/logs/a.log");
  EXPECT_EQ(delivery.undelivered[0].bytes, 5U);
  EXPECT_NE(delivery.undelivered[0].why.find("mount the share"), std::string::npos);
  std::filesystem::create_directory(base_ / "share");
  turn(Milliseconds(60'000));
  EXPECT_TRUE(proven());
  EXPECT_TRUE(said("log_destination_well"));
}

TEST_F(Collecting, TooManyFilesAreSaidAndNotLeftOutSilently) {
  options_.max_files = 2;
  begin();
  for (const char* name : {"a.log", "b.log", "c.log"}) append(source(name), "line\n");
  collector_->watch(container());
  EXPECT_FALSE(proven());
  EXPECT_TRUE(said("log_files_bound"));
  EXPECT_FALSE(collector_->delivery("c1").undelivered.empty());
}

TEST_F(Collecting, IdleFilesLendTheirDescriptorsAndComeBackWhenTheyGrow) {
  options_.max_files = 4;
  begin();
  for (const char* name : {"a.log", "b.log", "c.log"}) append(source(name), "line\n");
  collector_->watch(container());
  turn();
  turn(Milliseconds(16 * 60'000));
  turn();
  append(source("d.log"), "needs the room\n");
  turn();
  append(source("a.log"), "again\n");
  append(source("b.log"), "again\n");
  append(source("c.log"), "again\n");
  turn();
  EXPECT_TRUE(proven());
  for (const char* name : {"a.log", "b.log", "c.log"})
    EXPECT_EQ(read(stored(std::string("logs/") + name)), "line\nagain\n");
  EXPECT_EQ(read(stored("logs/d.log")), "needs the room\n");
}

TEST_F(Collecting, OldFilesGoAtTheBoundsAndLiveOnesStay) {
  options_.keep_bytes = 100;
  begin();
  append(source("live.log"), std::string(90, 'x') + "\n");
  collector_->watch(container());
  turn();
  const auto old = base_ / "store/shop_web/worker-1.1.gone/old.log";
  const auto others = base_ / "store/shop_web/worker-2.1.other/old.log";
  for (const auto& path : {old, others}) {
    std::filesystem::create_directories(path.parent_path());
    append(path, std::string(50, 'y') + "\n");
  }
  turn(Milliseconds(11 * 60'000));
  EXPECT_FALSE(std::filesystem::exists(old.parent_path()));
  EXPECT_TRUE(std::filesystem::exists(others)) << "another node's, on a share";
  EXPECT_TRUE(std::filesystem::exists(stored("logs/live.log")));
}

TEST(Retention, AgeCountsFromTheLastLineAndTheOldestGoFirst) {
  const std::vector<StoredFile> files{{"s/n.1.a/x", 10, 100},
                                      {"s/n.1.b/x", 10, 5'000},
                                      {"s/n.1.c/x", 10, 6'000},
                                      {"s/m.1.d/x", 10, 1}};
  using Names = std::vector<std::string>;
  EXPECT_EQ(expired(files, "n", {}, 7'200, {0, std::chrono::hours(1)}), Names{"s/n.1.a/x"});
  EXPECT_EQ(expired(files, "n", {}, 7'200, {20, std::chrono::hours(0)}), Names{"s/n.1.a/x"});
  EXPECT_EQ(expired(files, "n", {"s/n.1.a/x"}, 7'200, {20, std::chrono::hours(0)}),
            Names{"s/n.1.b/x"});
}

}  // namespace
}  // namespace hive::logs
