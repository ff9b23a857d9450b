// The proof against a real Filebeat: HIVE_FILEBEAT names the binary (e2e/filebeat/build.sh builds
// one); without it the tests are skipped.
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "logs/testing/collector_fixture.h"
#include "os/process.h"

namespace hive::logs {
namespace {

constexpr const char* kConfig = R"(
filebeat.inputs:
  - type: log
    paths: [BASE/root/logs/log*.log]
    scan_frequency: 100ms
  - type: filestream
    id: shop
    paths: [BASE/root/logs/stream*.log]
    prospector.scanner.check_interval: 100ms
filebeat.registry.flush: 0s
queue.mem.flush.timeout: 100ms
output.file: {path: BASE/out, filename: events}
path.data: BASE/data
path.logs: BASE/filebeat-logs
)";

class RealFilebeat : public testing::CollectorFixture {
 protected:
  void SetUp() override {
    CollectorFixture::SetUp();
    const char* program = std::getenv("HIVE_FILEBEAT");  // NOLINT
    if (program == nullptr) GTEST_SKIP() << "HIVE_FILEBEAT names no Filebeat";
    program_ = program;
    std::string config = kConfig;
    for (auto at = config.find("BASE"); at != std::string::npos; at = config.find("BASE"))
      config.replace(at, 4, base_.string());
    ASSERT_TRUE(os::write_file_atomically(base_ / "filebeat.yml", config, 0600).has_value());
    start_filebeat();
    options_.sync_every = Milliseconds(10);
    threaded_ = std::make_unique<FileCollector>(
        options_, system_clock_,
        [](const std::string& path, bool make) { return make_output_directory(path, make); });
    ASSERT_TRUE(threaded_->start().has_value());
    WatchedContainer shipped = container();
    shipped.policy.filebeat = model::FilebeatPlace{
        .registry = (base_ / "data/registry/filebeat").string(), .on_node = true};
    threaded_->watch(shipped);
  }
  void TearDown() override {
    threaded_.reset();
    signal_filebeat(SIGKILL);
    CollectorFixture::TearDown();
  }
  void start_filebeat() {
    const auto pid =
        os::spawn({program_, "-c", (base_ / "filebeat.yml").string(), "--strict.perms=false", "-e"},
                  {.log_path = (base_ / "filebeat.out").string()});
    ASSERT_TRUE(pid.has_value()) << pid.error().message;
    filebeat_ = *pid;
  }
  void signal_filebeat(int number) {
    if (filebeat_ <= 0) return;
    ::kill(filebeat_, number);
    if (number != SIGKILL) return;
    ::waitpid(filebeat_, nullptr, 0);
    filebeat_ = 0;
  }
  // Within 60 s.
  bool proven_from_now() {
    const MonotonicTime now = system_clock_.now();
    threaded_->hurry("c1");
    for (int i = 0; i < 1'200; ++i) {
      if (threaded_->delivery("c1").proven(now)) return true;
      std::this_thread::sleep_for(Milliseconds(50));
    }
    for (const auto& one : threaded_->delivery("c1").undelivered)
      ADD_FAILURE() << one.file << ": " << one.bytes << " bytes: " << one.why;
    return false;
  }
  void write_lines(const std::string& name, int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += name + " line " + std::to_string(i) + "\n";
    append(source(name), text);
  }
  // The messages of the events that reached the receiver.
  std::set<std::string> received() const {
    std::set<std::string> messages;
    for (const auto& file : std::filesystem::directory_iterator(base_ / "out"))
      for (const std::string& line : split(read(file.path()), '\n'))
        if (const auto event = parse_json(line, "event"))
          messages.insert(json_string(*event, "message"));
    return messages;
  }

  SystemClock system_clock_;
  std::string program_;
  pid_t filebeat_ = 0;
  std::unique_ptr<FileCollector> threaded_;
};

TEST_F(RealFilebeat, ProofMeansThatTheReceiverHasEveryLine) {
  for (const char* name : {"log.log", "stream.log"}) write_lines(name, 0, 5'000);
  EXPECT_TRUE(proven_from_now());
  EXPECT_EQ(received().size(), 10'000U);
  EXPECT_FALSE(std::filesystem::exists(base_ / "store/shop_web")) << "nothing had to be collected";
}

TEST_F(RealFilebeat, NoProofWhileItDoesNotRunAndAgainAfterAKill) {
  for (const char* name : {"log.log", "stream.log"}) write_lines(name, 0, 100);
  ASSERT_TRUE(proven_from_now());
  signal_filebeat(SIGKILL);
  for (const char* name : {"log.log", "stream.log"}) write_lines(name, 100, 5'000);
  const MonotonicTime now = system_clock_.now();
  std::this_thread::sleep_for(Milliseconds(1'500));
  EXPECT_FALSE(threaded_->delivery("c1").proven(now));
  EXPECT_GT(threaded_->delivery("c1").bytes_missing(), 100'000U);
  start_filebeat();
  EXPECT_TRUE(proven_from_now());
  EXPECT_EQ(received().size(), 10'000U);
}

TEST_F(RealFilebeat, LastLineWithoutNewlineIsCollectedInstead) {
  for (const char* name : {"log.log", "stream.log"}) {
    write_lines(name, 0, 10);
    append(source(name), std::string(name) + " has no end");
  }
  EXPECT_TRUE(proven_from_now());
  EXPECT_EQ(received().size(), 20U);
  for (const std::string name : {"log.log", "stream.log"})
    EXPECT_EQ(read(stored("logs/" + name)), name + " has no end");
}

}  // namespace
}  // namespace hive::logs
