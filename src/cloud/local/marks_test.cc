#include "cloud/local/marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/file.h"

namespace hive::cloud::local {
namespace {

using testing::ElementsAre;

class MarkedProcesses : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hive-marks-XXXXXX").string();
    proc = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(proc); }
  void process(const std::string& pid, const std::string& environment) {
    ASSERT_TRUE(os::make_directories(proc / pid, 0700));
    ASSERT_TRUE(os::write_file_atomically(proc / pid / "environ", environment, 0600));
  }
  std::filesystem::path proc;
  const std::string mark = "HIVE_LOCAL_CLOUD=/var/lib/hive/shop";
};

TEST_F(MarkedProcesses, AreThoseWithTheWholeMark) {
  const std::string zero(1, '\0');
  process("10", "PATH=/bin" + zero + mark + zero);
  process("11", "PATH=/bin" + zero + mark + "2" + zero);   // cluster shop2
  process("12", "PATH=/bin" + zero + "X_" + mark + zero);  // another variable
  process("13", "NOTE=see " + mark + zero);                // in the middle of one
  process("14", "HIVE_LOCAL_CLOUD=/tmp/x/shop" + zero);    // another state directory
  process("15", mark);                                     // the last, without its end
  process("1", mark + zero);                               // never the machine's own
  process("self", mark + zero);
  ASSERT_TRUE(os::make_directories(proc / "16", 0700));  // gone meanwhile
  EXPECT_THAT(marked_processes(proc, mark), ElementsAre(10, 15));
}

TEST_F(MarkedProcesses, AreNoneWithoutADirectory) {
  EXPECT_TRUE(marked_processes(proc / "absent", mark).empty());
}

TEST(MountsBelow, AreThoseOfTheClusterTheInnermostFirst) {
  const std::string mounts =
      "overlay /var/lib/hive/shop/instances/i-1/root overlay rw 0 0\n"
      "proc /var/lib/hive/shop/instances/i-1/root/proc proc rw 0 0\n"
      "overlay /var/lib/hive/shop2/instances/i-9/root overlay rw 0 0\n"
      "tmpfs /run/hive/shop tmpfs rw 0 0\n"
      "tmpfs / tmpfs rw 0 0\n"
      "broken\n";
  EXPECT_THAT(mounts_below(mounts, {"/var/lib/hive/shop", "/run/hive/shop"}),
              ElementsAre("/run/hive/shop", "/var/lib/hive/shop/instances/i-1/root/proc",
                          "/var/lib/hive/shop/instances/i-1/root"));
}

TEST(RemovalOfRule, IsOfRulesWithTheClustersComment) {
  const std::string mark = "hive:/var/lib/hive/shop";
  const std::string rule =
      "-A FORWARD -i hivebr3 -o hivebr3 -m comment --comment \"" + mark + "\" -j ACCEPT";
  const auto words = removal_of_rule(rule, mark);
  ASSERT_TRUE(words);
  EXPECT_THAT(*words, ElementsAre("-D", "FORWARD", "-i", "hivebr3", "-o", "hivebr3", "-m",
                                  "comment", "--comment", mark, "-j", "ACCEPT"));
  EXPECT_FALSE(removal_of_rule("-A FORWARD -m comment --comment " + mark + "2 -j ACCEPT", mark));
  EXPECT_FALSE(removal_of_rule("-P FORWARD DROP", mark));
  EXPECT_FALSE(removal_of_rule("-N " + mark, mark));
  EXPECT_FALSE(removal_of_rule("", mark));
}

}  // namespace
}  // namespace hive::cloud::local
