#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "os/file.h"
#include "os/process.h"

namespace hive::os {
namespace {

class OsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hive-os-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

TEST_F(OsTest, WritesWholeFilesAndReadsThemBack) {
  const auto path = directory_ / "state";
  ASSERT_TRUE(write_file_atomically(path, "one", 0600).has_value());
  ASSERT_TRUE(write_file_atomically(path, "two", 0600).has_value());
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto entries = std::distance(std::filesystem::directory_iterator(directory_), {});
  EXPECT_EQ(entries, 1) << "a temporary file was left behind";
}

TEST_F(OsTest, BoundsWhatItReads) {
  const auto path = directory_ / "large";
  ASSERT_TRUE(write_file_atomically(path, std::string(100, 'x')).has_value());
  EXPECT_EQ(read_file(path, 99).error().code, Errc::kResourceExhausted);
  EXPECT_EQ(read_file(directory_ / "absent").error().code, Errc::kNotFound);
}

TEST_F(OsTest, FullDiskLeavesTheOldFile) {
  EXPECT_FALSE(write_file_atomically("/dev/full/x", "y").has_value());
}

TEST_F(OsTest, LockIsExclusiveUntilDestroyed) {
  const auto path = directory_ / "lock";
  {
    const auto first = FileLock::try_acquire(path);
    ASSERT_TRUE(first.has_value());
    const auto second = FileLock::try_acquire(path);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(FileLock::try_acquire(path).has_value());
}

TEST_F(OsTest, RunCapturesOutputExitCodeAndInput) {
  const auto result = run({"sh", "-c", "cat; echo bad >&2; exit 3"}, {.input = "hello"});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->out, "hello");
  EXPECT_EQ(result->err, "bad\n");
  EXPECT_EQ(run({"no-such-program-anywhere"}).error().code, Errc::kNotFound);
}

TEST_F(OsTest, RunEndsAtItsDeadlineWithAllChildren) {
  const auto result =
      run({"sh", "-c", "sleep 1000 & sleep 1000"}, {.deadline = std::chrono::milliseconds(50)});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::kDeadlineExceeded);
}

TEST_F(OsTest, ProcessIdentityTellsTheDead) {
  const auto pid = spawn({"sleep", "1000"}, {});
  ASSERT_TRUE(pid.has_value());
  const auto since = start_time(*pid);
  ASSERT_TRUE(since.has_value());
  EXPECT_TRUE(alive(*pid, *since));
  EXPECT_FALSE(alive(*pid, *since + 1));
  ::kill(*pid, SIGKILL);
  ::waitpid(*pid, nullptr, 0);
  EXPECT_FALSE(alive(*pid, *since));
}

}  // namespace
}  // namespace hive::os
