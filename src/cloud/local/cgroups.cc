#include "cloud/local/cgroups.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/text.h"
#include "os/file.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

// cgroup files take one write and know no O_CREAT or rename.
bool write_value(const fs::path& path, const std::string& value) {
  std::ofstream file(path);
  file << value << std::flush;
  return file.good();
}

std::string read_value(const fs::path& path) {
  const auto text = os::read_file(path, 1U << 20);
  return text ? std::string(trim(*text)) : std::string();
}

// A new cpuset of version 1 is empty and takes no process until it has CPUs and memory nodes.
void inherit_cpuset(const fs::path& group) {
  for (const char* name : {"cpuset.cpus", "cpuset.mems"})
    if (fs::exists(group / name) && read_value(group / name).empty())
      write_value(group / name, read_value(group.parent_path() / name));
}

// Version 2: children have a controller only when the parent passes it on.
void pass_controllers_on(const fs::path& group) {
  if (!fs::exists(group / "cgroup.controllers")) return;
  for (const auto& name : split(read_value(group / "cgroup.controllers"), ' '))
    if (!name.empty()) write_value(group / "cgroup.subtree_control", "+" + name);
}

Status make_one(const fs::path& root, const std::string& place) {
  fs::path at = root;
  for (const auto& part : split(place, '/')) {
    pass_controllers_on(at);
    at /= part;
    if (::mkdir(at.c_str(), 0755) != 0 && errno != EEXIST)
      return tl::unexpected(os::errno_error(errno, "making the cgroup " + at.string()));
    if (root.filename() == "cpuset" || fs::exists(at / "cpuset.mems")) inherit_cpuset(at);
  }
  return {};
}

void collect_groups(const fs::path& group, std::vector<fs::path>& deepest_first) {
  std::error_code error;
  for (fs::directory_iterator at(group, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_directory(ignored)) collect_groups(at->path(), deepest_first);
  }
  if (fs::exists(group, error)) deepest_first.push_back(group);
}

}  // namespace

std::vector<fs::path> cgroup_roots() {
  std::vector<fs::path> out;
  const auto mounts = os::read_file("/proc/self/mounts", 4U << 20);
  if (!mounts) return out;
  for (const auto& line : split(*mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() > 2 && (fields[2] == "cgroup" || fields[2] == "cgroup2"))
      out.emplace_back(fields[1]);
  }
  return out;
}

Status make_cgroups(const std::string& place) {
  const auto roots = cgroup_roots();
  if (roots.empty())
    return fail(Errc::kUnsupported, "no cgroup hierarchy is mounted below /sys/fs/cgroup");
  for (const auto& root : roots) HIVE_TRY(make_one(root, place + "/init"));
  return {};
}

Status enter_cgroups(const std::string& place, pid_t pid) {
  for (const auto& root : cgroup_roots()) {
    const auto file = root / place / "init" / "cgroup.procs";
    if (!write_value(file, std::to_string(pid)))
      return tl::unexpected(
          os::errno_error(errno, fmt::format("moving process {} into {}", pid, file.string())));
  }
  return {};
}

std::vector<pid_t> cgroup_members(const std::string& place) {
  std::set<pid_t> out;
  for (const auto& root : cgroup_roots()) {
    std::vector<fs::path> groups;
    collect_groups(root / place, groups);
    for (const auto& group : groups)
      for (const auto& line : split(read_value(group / "cgroup.procs"), '\n'))
        if (const int pid = std::atoi(line.c_str()); pid > 0) out.insert(pid);
  }
  return {out.begin(), out.end()};
}

Result<int> remove_cgroups(const std::string& place) {
  int removed = 0;
  Status status;
  for (const auto& root : cgroup_roots()) {
    std::vector<fs::path> groups;
    collect_groups(root / place, groups);
    for (const auto& group : groups) {
      int tries = 0;
      // A killed process leaves its group only when it is reaped.
      while (::rmdir(group.c_str()) != 0) {
        if (errno == ENOENT) break;
        if (errno != EBUSY || ++tries > 200) {
          status = tl::unexpected(os::errno_error(errno, "removing the cgroup " + group.string()));
          break;
        }
        ::usleep(10'000);
      }
      ++removed;
    }
    // The common parent goes with the last cluster.
    ::rmdir((root / fs::path(place).begin()->string()).c_str());
  }
  if (!status) return tl::unexpected(status.error());
  return removed;
}

}  // namespace hive::cloud::local
