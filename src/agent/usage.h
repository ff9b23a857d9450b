// CPU time and memory of the node's containers, read from the files of their cgroups (version 1 and
// 2), without asking the engine. One thread.
//
// A sample reads two small files of each container, kept open; memory that the kernel could drop at
// once (the page cache's inactive part, as `docker stats` subtracts it) is read now and then.
// Source: docs.kernel.org, admin-guide/cgroup-v1/{cpuacct,memory} and admin-guide/cgroup-v2.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/protocol.h"
#include "agent/stop_hands.h"
#include "base/clock.h"
#include "base/result.h"
#include "os/fd.h"

namespace hive::agent {

// The files of one cgroup.
struct CgroupFiles {
  std::filesystem::path cpu;     // cpuacct.usage, or cpu.stat
  std::filesystem::path memory;  // memory.usage_in_bytes, or memory.current
  std::filesystem::path stat;    // memory.stat
  bool version2 = false;
};
// Of the process, by its /proc/PID/cgroup and where this process has cgroups mounted. `root`: "/";
// tests have a directory of their own. kNotFound when the process is gone or its cgroup is not
// mounted here.
Result<CgroupFiles> cgroup_files(const std::filesystem::path& root, int pid);

class Usage {
 public:
  // An empty root: nothing is ever read.
  explicit Usage(std::filesystem::path root) : root_(std::move(root)) {}

  // The running containers of the node's tasks; replaces those said before.
  void containers(const std::vector<ContainerInfo>& running);
  // What each used between its last two looks, which are at least kEvery apart; a container that
  // was looked at only once, or cannot be read, is left out.
  std::vector<TaskUsage> sample(MonotonicTime now);

  static constexpr Milliseconds kEvery{900};
  static constexpr Milliseconds kInactiveEvery{10'000};
  static constexpr Milliseconds kRetryAfter{5'000};  // what could not be read

 private:
  struct Look {
    std::uint64_t cpu_ns = 0;
    MonotonicTime at{};
  };
  struct Group {
    int pid = 0;
    std::string task_id;
    bool version2 = false;
    os::UniqueFd cpu;
    os::UniqueFd memory;
    std::filesystem::path stat;
    MonotonicTime try_at{};
    std::optional<Look> last;
    std::uint64_t inactive = 0;
    MonotonicTime inactive_at{};
    std::optional<TaskUsage> usage;
  };
  Status open(Group& group) const;
  Status look(Group& group, MonotonicTime now) const;

  std::filesystem::path root_;
  std::map<std::string, Group> groups_;  // by container
};

}  // namespace hive::agent
