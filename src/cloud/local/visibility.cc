#include "cloud/local/visibility.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "cloud/local/state.h"
#include "os/fd.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

bool inside(const fs::path& path, const fs::path& directory) {
  const auto [at, end] =
      std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return at == directory.end();
}

}  // namespace

std::vector<fs::path> covered_directories(const Paths& paths) {
  return {"/root",
          "/home",
          "/etc/docker",
          "/etc/hive",
          paths.state.parent_path(),
          "/var/lib/cloud",
          paths.run.parent_path(),
          "/var/lib/hive"};
}

Result<std::vector<RunningInstance>> running_instances(const std::string& cluster) {
  HIVE_ASSIGN(const Paths paths, paths_of(cluster));
  std::vector<RunningInstance> out;
  std::error_code ignored;
  if (!fs::exists(paths.instances(), ignored)) return out;
  HIVE_ASSIGN(const auto records, load_instances(paths));
  for (const auto& record : records)
    if (record.pid > 0 && os::alive(record.pid, record.start_time))
      out.push_back({record.hostname, record.role, record.pid});
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.hostname < b.hostname; });
  return out;
}

bool sees(const RunningInstance& instance, const std::string& path) {
  const os::UniqueFd root(
      ::open(fmt::format("/proc/{}/root", instance.pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return false;
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const os::UniqueFd found(
      static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
  return static_cast<bool>(found);
}

bool new_instance_sees(const Paths& paths, const std::string& path) {
  const fs::path wanted = fs::path(path).lexically_normal();
  const auto under = [](const fs::path& one, const std::vector<fs::path>& directories) {
    return std::any_of(directories.begin(), directories.end(),
                       [&](const fs::path& directory) { return inside(one, directory); });
  };
  // Its own, made as it boots: the engine's socket, for one.
  static const std::vector<fs::path> kOwn = {
      "/run", "/var/run", "/dev", "/proc", "/sys", "/var/lib/docker", "/var/lib/hive/logs"};
  if (wanted == "/tmp" || under(wanted, kOwn)) return true;
  std::error_code failure;
  const fs::path real = fs::canonical(wanted, failure);
  if (failure) return false;
  struct stat root {};
  struct stat found {};
  if (::stat("/", &root) != 0 || ::stat(real.c_str(), &found) != 0) return false;
  const auto covered = covered_directories(paths);
  if (under(real, {"/tmp"})) return false;  // a tmpfs of its own, empty at first
  const bool is_one = std::find(covered.begin(), covered.end(), real) != covered.end();
  return found.st_dev == root.st_dev && (is_one || !under(real, covered));
}

}  // namespace hive::cloud::local
