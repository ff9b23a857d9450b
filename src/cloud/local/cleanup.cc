// remove_everything(): known by marks, so no state file is needed and none can prevent it.
#include <fmt/core.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "cloud/local/cgroups.h"
#include "cloud/local/marks.h"
#include "cloud/local/network.h"
#include "cloud/local/state.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

// This process and what it runs under are never victims.
std::set<pid_t> own_line() {
  std::set<pid_t> out;
  pid_t at = ::getpid();
  while (at > 1 && out.insert(at).second) {
    const auto stat = os::read_file(fmt::format("/proc/{}/stat", at), 65536);
    const auto paren = stat ? stat->rfind(')') : std::string::npos;
    if (paren == std::string::npos) break;
    const auto fields = split(trim(std::string_view(*stat).substr(paren + 1)), ' ');
    at = fields.size() > 1 ? std::atoi(fields[1].c_str()) : 0;
  }
  out.insert(1);
  return out;
}

std::set<pid_t> victims(const Paths& paths) {
  std::set<pid_t> out = marked_processes("/proc", environment_mark(paths));
  for (const pid_t pid : cgroup_members(cgroup_place(paths))) out.insert(pid);
  // A zombie has no start time any more: it is left to its parent.
  std::erase_if(out, [](pid_t pid) { return !os::start_time(pid); });
  for (const pid_t pid : own_line()) out.erase(pid);
  return out;
}

Result<int> end_processes(const Paths& paths) {
  std::set<pid_t> seen;
  for (int round = 0; round < 500; ++round) {
    const auto now = victims(paths);
    if (now.empty()) return static_cast<int>(seen.size());
    for (const pid_t pid : now) {
      seen.insert(pid);
      ::kill(pid, SIGKILL);
    }
    ::usleep(20'000);
    for (const pid_t pid : now) ::waitpid(pid, nullptr, WNOHANG);
  }
  std::string left;
  for (const pid_t pid : victims(paths)) left += fmt::format(" {}", pid);
  return fail(Errc::kDeadlineExceeded, "processes that do not end:" + left);
}

int unmount_below(const Paths& paths) {
  const auto mounts = os::read_file("/proc/self/mounts", 16U << 20);
  if (!mounts) return 0;
  int count = 0;
  for (const auto& target : mounts_below(*mounts, {paths.state.string(), paths.run.string()}))
    count += ::umount2(target.c_str(), MNT_DETACH) == 0 ? 1 : 0;
  return count;
}

Result<int> remove_directories(const Paths& paths) {
  int count = 0;
  for (const auto& path : {paths.run, paths.state}) {
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    fs::remove_all(path, error);
    if (error)
      return fail(Errc::kInternal, fmt::format("removing {}: {}", path.string(), error.message()));
    ++count;
    // The common parent goes with the last cluster; it stays when anything else is in it.
    const fs::path lock = path.parent_path() / ".lock";
    bool alone = true;
    for (fs::directory_iterator at(path.parent_path(), error), end; !error && at != end;
         at.increment(error))
      alone = alone && at->path() == lock;
    if (alone) fs::remove(lock, error);
    ::rmdir(path.parent_path().c_str());
  }
  return count;
}

}  // namespace

Result<CleanupReport> remove_everything(const std::string& cluster) {
  HIVE_ASSIGN(const Paths paths, paths_of(cluster));
  CleanupReport report;
  // Processes first: what they hold is free then, and nothing is made anew. Later steps go on after
  // a failure, so that as little as possible stays.
  Status status;
  const auto keep = [&](const auto& step, auto&& use) {
    if (step)
      use(*step);
    else if (status)
      status = tl::unexpected(step.error());
  };
  keep(end_processes(paths), [&](int n) { report.processes = n; });
  keep(remove_network(paths), [&](const NetworkRemoval& n) {
    report.links = n.links;
    report.firewall_rules = n.rules;
  });
  keep(remove_cgroups(cgroup_place(paths)), [&](int n) { report.cgroups = n; });
  report.mounts = unmount_below(paths);
  keep(remove_directories(paths), [&](int n) { report.directories = n; });
  if (!status) return tl::unexpected(status.error());
  return report;
}

}  // namespace hive::cloud::local
