#include "agent/usage.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "os/file.h"

namespace hive::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOfProc = 1U << 20;

struct Mount {
  std::string root;   // which part of the hierarchy is mounted
  std::string point;  // where
  std::string type;   // cgroup, cgroup2
  std::vector<std::string> options;
};

bool has(const std::vector<std::string>& words, std::string_view word) {
  for (const auto& one : words)
    if (one == word) return true;
  return false;
}

// proc(5), /proc/PID/mountinfo: "31 23 0:28 ROOT POINT rw,relatime [tags] - TYPE SOURCE OPTIONS".
std::vector<Mount> cgroup_mounts(const std::string& mountinfo) {
  std::vector<Mount> out;
  for (const auto& line : split(mountinfo, '\n')) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto before = split(line.substr(0, dash), ' ');
    const auto after = split(line.substr(dash + 3), ' ');
    if (before.size() < 5 || after.size() < 3 || !after[0].starts_with("cgroup")) continue;
    out.push_back({before[3], before[4], after[0], split(after[2], ',')});
  }
  return out;
}

// The directory of the cgroup `place` in a mount that shows it.
std::optional<fs::path> directory_in(const fs::path& root, const Mount& mount,
                                     const std::string& place) {
  std::string inner = place;
  if (mount.root != "/") {
    if (place != mount.root && !place.starts_with(mount.root + "/")) return std::nullopt;
    inner = place.substr(mount.root.size());
  }
  return root / fs::path(mount.point).relative_path() / fs::path(inner).relative_path();
}

// Of version 1 where `controller` is mounted so, of version 2 when it is empty.
std::optional<fs::path> find_group(const fs::path& root, const std::vector<Mount>& mounts,
                                   const std::string& cgroups, std::string_view controller) {
  for (const auto& line : split(cgroups, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    const bool wanted = controller.empty() ? parts[0] == "0" && parts[1].empty()
                                           : has(split(parts[1], ','), controller);
    if (!wanted) continue;
    // The path may have colons of its own.
    const std::string place = line.substr(parts[0].size() + parts[1].size() + 2);
    for (const Mount& mount : mounts) {
      const bool fits = controller.empty()
                            ? mount.type == "cgroup2"
                            : mount.type == "cgroup" && has(mount.options, controller);
      if (!fits) continue;
      if (auto found = directory_in(root, mount, place)) return found;
    }
  }
  return std::nullopt;
}

// From the file's beginning; cgroup files make their content anew at each read from there.
Result<std::string_view> read_again(int fd, std::array<char, 8'192>& buffer) {
  const auto count = ::pread(fd, buffer.data(), buffer.size(), 0);
  if (count < 0) return tl::unexpected(os::errno_error(errno, "reading a cgroup"));
  return std::string_view(buffer.data(), static_cast<std::size_t>(count));
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return std::nullopt;
  return out;
}

// "name 123" on a line of its own.
std::optional<std::uint64_t> field(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ' ')
      return number_in(line.substr(name.size() + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

os::UniqueFd open_file(const fs::path& path) {
  return os::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

Result<CgroupFiles> cgroup_files(const fs::path& root, int pid) {
  HIVE_ASSIGN(const auto cgroups,
              os::read_file(root / "proc" / std::to_string(pid) / "cgroup", kMostOfProc));
  HIVE_ASSIGN(const auto mountinfo, os::read_file(root / "proc/self/mountinfo", kMostOfProc));
  const auto mounts = cgroup_mounts(mountinfo);
  const auto cpu = find_group(root, mounts, cgroups, "cpuacct");
  const auto memory = find_group(root, mounts, cgroups, "memory");
  if (cpu && memory)
    return CgroupFiles{*cpu / "cpuacct.usage", *memory / "memory.usage_in_bytes",
                       *memory / "memory.stat", false};
  if (const auto both = find_group(root, mounts, cgroups, ""))
    return CgroupFiles{*both / "cpu.stat", *both / "memory.current", *both / "memory.stat", true};
  return fail(Errc::kNotFound,
              "the cgroup of process " + std::to_string(pid) + " is not mounted here");
}

void Usage::containers(const std::vector<ContainerInfo>& running) {
  if (root_.empty()) return;
  std::map<std::string, Group> next;
  for (const ContainerInfo& container : running) {
    const auto known = groups_.find(container.id);
    Group& group = next[container.id];
    // A container that was started again has another cgroup.
    if (known != groups_.end() && known->second.pid == container.pid)
      group = std::move(known->second);
    group.pid = container.pid;
    group.task_id = container.task_id;
  }
  groups_ = std::move(next);
}

Status Usage::open(Group& group) const {
  HIVE_ASSIGN(const auto files, cgroup_files(root_, group.pid));
  group.version2 = files.version2;
  group.stat = files.stat;
  group.cpu = open_file(files.cpu);
  group.memory = open_file(files.memory);
  if (!group.cpu || !group.memory)
    return tl::unexpected(os::errno_error(errno, "opening " + files.cpu.string()));
  return {};
}

Status Usage::look(Group& group, MonotonicTime now) const {
  if (!group.cpu) HIVE_TRY(open(group));
  std::array<char, 8'192> buffer;
  HIVE_ASSIGN(const auto cpu_text, read_again(group.cpu.get(), buffer));
  auto cpu_ns = group.version2 ? field(cpu_text, "usage_usec") : number_in(cpu_text);
  if (cpu_ns && group.version2) *cpu_ns *= 1'000;
  HIVE_ASSIGN(const auto memory_text, read_again(group.memory.get(), buffer));
  const auto memory = number_in(memory_text);
  if (!cpu_ns || !memory) return fail(Errc::kCorrupt, "a cgroup's file holds no number");
  if (now - group.inactive_at >= kInactiveEvery || !group.last) {
    const auto stat = open_file(group.stat);
    if (stat) {
      HIVE_ASSIGN(const auto text, read_again(stat.get(), buffer));
      group.inactive =
          field(text, group.version2 ? "inactive_file" : "total_inactive_file").value_or(0);
    }
    group.inactive_at = now;
  }
  if (group.last && *cpu_ns >= group.last->cpu_ns) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - group.last->at);
    TaskUsage usage;
    usage.task_id = group.task_id;
    // ns / us = thousandths of a core.
    usage.cpu_millicores = (*cpu_ns - group.last->cpu_ns) /
                           static_cast<std::uint64_t>(std::max<std::int64_t>(1, took.count()));
    usage.memory_bytes = *memory - std::min(*memory, group.inactive);
    group.usage = usage;
  }
  group.last = Look{*cpu_ns, now};
  return {};
}

std::vector<TaskUsage> Usage::sample(MonotonicTime now) {
  std::vector<TaskUsage> out;
  for (auto& [id, group] : groups_) {
    const bool due = now >= group.try_at && (!group.last || now - group.last->at >= kEvery);
    if (due && !look(group, now)) {
      group.cpu = os::UniqueFd();
      group.memory = os::UniqueFd();
      group.last.reset();
      group.usage.reset();
      group.try_at = now + kRetryAfter;
    }
    if (!group.usage) continue;
    out.push_back(*group.usage);
    out.back().age_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<Milliseconds>(now - group.last->at).count());
  }
  return out;
}

}  // namespace hive::agent
