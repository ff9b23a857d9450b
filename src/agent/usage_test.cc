// Over a directory that plays /proc and the cgroups' file systems.
#include "agent/usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace hive::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kMiB = 1U << 20;

class UsageTest : public ::testing::Test {
 protected:
  UsageTest() : root_(fs::temp_directory_path() / ("hive-usage-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
  }
  ~UsageTest() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::trunc) << text;
  }
  // Two hierarchies of version 1, as Docker's default is, and an empty one of version 2.
  void version1(int pid, const std::string& place) const {
    put("proc/self/mountinfo",
        "22 1 8:1 / / rw - ext4 /dev/vda1 rw\n"
        "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup "
        "rw,cpu,cpuacct\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        "36 31 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put("proc/" + std::to_string(pid) + "/cgroup",
        "4:memory:" + place + "\n2:cpu,cpuacct:" + place + "\n0::/elsewhere\n");
  }
  void used1(const std::string& place, std::uint64_t ns, std::uint64_t bytes,
             std::uint64_t inactive) const {
    put("sys/fs/cgroup/cpu,cpuacct" + place + "/cpuacct.usage", std::to_string(ns) + "\n");
    put("sys/fs/cgroup/memory" + place + "/memory.usage_in_bytes", std::to_string(bytes) + "\n");
    put("sys/fs/cgroup/memory" + place + "/memory.stat",
        "cache 9\ninactive_file 1\ntotal_cache 9\ntotal_inactive_file " + std::to_string(inactive) +
            "\n");
  }
  void version2(int pid, const std::string& mounted, const std::string& place) const {
    put("proc/self/mountinfo",
        "30 23 0:26 " + mounted + " /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
    put("proc/" + std::to_string(pid) + "/cgroup", "0::" + place + "\n");
  }
  void used2(const std::string& place, std::uint64_t us, std::uint64_t bytes,
             std::uint64_t inactive) const {
    put("sys/fs/cgroup" + place + "/cpu.stat",
        "usage_usec " + std::to_string(us) + "\nuser_usec 1\nsystem_usec 2\n");
    put("sys/fs/cgroup" + place + "/memory.current", std::to_string(bytes) + "\n");
    put("sys/fs/cgroup" + place + "/memory.stat",
        "anon 5\ninactive_file " + std::to_string(inactive) + "\nactive_file 3\n");
  }
  static ContainerInfo container(const std::string& id, int pid) {
    ContainerInfo out;
    out.id = id;
    out.task_id = "task-" + id;
    out.pid = pid;
    return out;
  }
  std::vector<TaskUsage> sample(Usage& usage, Milliseconds later = Milliseconds(1'000)) {
    clock_.advance(later);
    return usage.sample(clock_.now());
  }

  fs::path root_;
  ManualClock clock_;
};

TEST_F(UsageTest, Version1) {
  version1(7, "/docker/abc");
  used1("/docker/abc", 1'000'000'000, 300 * kMiB, 100 * kMiB);
  Usage usage(root_);
  usage.containers({container("a", 7)});
  EXPECT_THAT(sample(usage), IsEmpty()) << "one look says nothing of a rate";
  used1("/docker/abc", 1'500'000'000, 310 * kMiB, 0);
  EXPECT_THAT(sample(usage, Milliseconds(2'000)),
              ElementsAre(TaskUsage{"task-a", 250, 210 * kMiB, 0}))
      << "half a second of CPU in two; what is inactive is not read each time";
  used1("/docker/abc", 1'500'000'000, 310 * kMiB, 10 * kMiB);
  EXPECT_THAT(sample(usage, Usage::kInactiveEvery),
              ElementsAre(TaskUsage{"task-a", 0, 300 * kMiB, 0}));
}

TEST_F(UsageTest, Version2InAPartOfTheHierarchy) {
  version2(9, "/system.slice", "/system.slice/docker-abc.scope");
  used2("/docker-abc.scope", 5'000'000, 64 * kMiB, 65 * kMiB);
  Usage usage(root_);
  usage.containers({container("a", 9)});
  sample(usage);
  used2("/docker-abc.scope", 7'400'000, 64 * kMiB, 65 * kMiB);
  EXPECT_THAT(sample(usage), ElementsAre(TaskUsage{"task-a", 2'400, 0, 0})) << "never below zero";
}

TEST_F(UsageTest, ReportsInBetweenSayTheSameWithItsAge) {
  version2(9, "/", "/c");
  used2("/c", 0, kMiB, 0);
  Usage usage(root_);
  usage.containers({container("a", 9)});
  sample(usage);
  used2("/c", 100'000, kMiB, 0);
  sample(usage);
  used2("/c", 900'000, kMiB, 0);
  EXPECT_THAT(sample(usage, Milliseconds(300)), ElementsAre(TaskUsage{"task-a", 100, kMiB, 300}));
  EXPECT_THAT(sample(usage, Milliseconds(700)), ElementsAre(TaskUsage{"task-a", 800, kMiB, 0}));
}

TEST_F(UsageTest, WhatCannotBeReadIsLeftOutAndTriedAgain) {
  version2(9, "/", "/c");
  Usage usage(root_);
  usage.containers({container("a", 9), container("gone", 10)});
  EXPECT_THAT(sample(usage), IsEmpty());
  used2("/c", 0, kMiB, 0);
  EXPECT_THAT(sample(usage), IsEmpty()) << "not at each turn";
  sample(usage, Usage::kRetryAfter);
  used2("/c", 1'000'000, kMiB, 0);
  EXPECT_THAT(sample(usage), ElementsAre(TaskUsage{"task-a", 1'000, kMiB, 0}));
  put("c", "");
  put("sys/fs/cgroup/c/cpu.stat", "nothing of use\n");
  EXPECT_THAT(sample(usage), IsEmpty());
}

TEST_F(UsageTest, AContainerStartedAgainBeginsAnew) {
  version2(9, "/", "/c");
  used2("/c", 9'000'000, kMiB, 0);
  Usage usage(root_);
  usage.containers({container("a", 9)});
  sample(usage);
  sample(usage);
  version2(11, "/", "/d");
  used2("/d", 10'000, kMiB, 0);
  usage.containers({container("a", 11)});
  EXPECT_THAT(sample(usage), IsEmpty());
  used2("/d", 30'000, kMiB, 0);
  EXPECT_THAT(sample(usage), ElementsAre(TaskUsage{"task-a", 20, kMiB, 0}));
  usage.containers({});
  EXPECT_THAT(sample(usage), IsEmpty());
}

TEST_F(UsageTest, ACgroupThatIsNotMountedHereIsNotFound) {
  version2(9, "/other", "/c");
  EXPECT_EQ(cgroup_files(root_, 9).error().code, Errc::kNotFound);
  EXPECT_EQ(cgroup_files(root_, 12).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace hive::agent
