#include "cloud/local/disk.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "cloud/local/visibility.h"
#include "os/file.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

// Makes UPPER/path with the modes of the machine's own directories, since the upper's count.
Status mirror_directory(const fs::path& upper, const fs::path& path) {
  fs::path at = upper;
  fs::path real = "/";
  for (const auto& part : path.relative_path()) {
    at /= part;
    real /= part;
    struct stat info {};
    const bool known = ::stat(real.c_str(), &info) == 0;
    if (::mkdir(at.c_str(), 0755) != 0) {
      if (errno == EEXIST) continue;
      return tl::unexpected(os::errno_error(errno, "making " + at.string()));
    }
    if (::chmod(at.c_str(), known ? info.st_mode & 07777U : 0755U) != 0)
      return tl::unexpected(os::errno_error(errno, "setting the mode of " + at.string()));
  }
  return {};
}

// An opaque directory shows nothing of the layer below it.
Status cover(const fs::path& upper, const fs::path& path) {
  HIVE_TRY(mirror_directory(upper, path));
  const fs::path at = upper / path.relative_path();
  if (::setxattr(at.c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0)
    return tl::unexpected(os::errno_error(
        errno,
        fmt::format("covering {} in the disk of an instance ({})", path.string(), at.string())));
  return {};
}

Status touch(const fs::path& path) {
  if (fs::exists(path)) return {};
  return os::write_file_atomically(path, "", 0755);
}

}  // namespace

Status prepare_disk(const Paths& paths, const std::string& id, const std::string& docker_config) {
  const fs::path base = paths.instance(id);
  const fs::path upper = base / "upper";
  for (const char* name : {"upper", "work", "docker", "root"})
    HIVE_TRY(os::make_directories(base / name, 0755));
  for (const auto& path : covered_directories(paths)) HIVE_TRY(cover(upper, path));
  for (const char* path : {"/var/lib/docker", "/usr/local/bin", "/var/log/hive"})
    HIVE_TRY(mirror_directory(upper, path));
  HIVE_TRY(os::make_directories(upper / "var/lib/hive/logs", 0755));
  HIVE_TRY(os::make_directories(paths.logs(), 0750));
  HIVE_TRY(touch(upper / "usr/local/bin/hive"));
  HIVE_TRY(touch(upper / "usr/local/bin/hive-init"));
  if (docker_config.empty()) return {};
  HIVE_TRY(os::make_directories(upper / "root/.docker", 0700));
  return os::write_file_atomically(upper / "root/.docker/config.json", docker_config, 0600);
}

Status prepare_run(const Paths& paths, const std::string& id) {
  const fs::path run = paths.instance_run(id);
  std::error_code error;
  fs::remove_all(run, error);
  if (error)
    return fail(Errc::kInternal, fmt::format("emptying {}: {}", run.string(), error.message()));
  HIVE_TRY(os::make_directories(run / "hive", 0700));
  HIVE_TRY(os::make_directories(run / "lock", 01777));
  ::chmod(run.c_str(), 0755);
  return {};
}

Status remove_disk(const Paths& paths, const std::string& id) {
  std::error_code error;
  for (const fs::path& path : {paths.instance(id), paths.run / "instances" / id}) {
    fs::remove_all(path, error);
    if (error)
      return fail(Errc::kInternal, fmt::format("removing {}: {}", path.string(), error.message()));
  }
  return {};
}

}  // namespace hive::cloud::local
