#include "cloud/local/machine.h"

#include <fmt/core.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/json.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

Status mount_at(const char* source, const std::string& target, const char* type,
                unsigned long flags, const std::string& data = "") {
  if (::mount(source, target.c_str(), type, flags, data.c_str()) == 0) return {};
  return tl::unexpected(os::errno_error(
      errno,
      fmt::format("mounting {} ({}) at {}", source, type == nullptr ? "bind" : type, target)));
}

Status mount_program(const std::string& source, const std::string& target) {
  if (source.empty()) return {};
  HIVE_TRY(mount_at(source.c_str(), target, nullptr, MS_BIND));
  return mount_at("none", target, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY);
}

Status mount_tree(const std::string& root, const BootFile& boot) {
  HIVE_TRY(mount_at("proc", root + "/proc", "proc", 0));
  // A sysfs of this network namespace; it has none of the machine's cgroup mounts.
  HIVE_TRY(mount_at("sysfs", root + "/sys", "sysfs", 0));
  HIVE_TRY(mount_at("/sys/fs/cgroup", root + "/sys/fs/cgroup", nullptr, MS_BIND | MS_REC));
  HIVE_TRY(mount_at("/dev", root + "/dev", nullptr, MS_BIND | MS_REC));
  HIVE_TRY(mount_at("tmpfs", root + "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
  HIVE_TRY(mount_at("tmpfs", root + "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
  HIVE_TRY(mount_at(boot.run.c_str(), root + "/run", nullptr, MS_BIND));
  HIVE_TRY(mount_at((boot.disk + "/docker").c_str(), root + "/var/lib/docker", nullptr, MS_BIND));
  HIVE_TRY(mount_at(boot.logs.c_str(), root + "/var/lib/hive/logs", nullptr, MS_BIND));
  HIVE_TRY(mount_program(boot.binary, root + "/usr/local/bin/hive"));
  return mount_program(boot.init_binary, root + "/usr/local/bin/hive-init");
}

Status write_names(const BootFile& boot) {
  if (::sethostname(boot.hostname.c_str(), boot.hostname.size()) != 0)
    return tl::unexpected(os::errno_error(errno, "setting the host name"));
  HIVE_TRY(os::write_file_atomically("/etc/hostname", boot.hostname + "\n"));
  return os::write_file_atomically(
      "/etc/hosts", fmt::format("127.0.0.1 localhost\n::1 localhost ip6-localhost\n{} {}\n"
                                "{} registry.hive\n",
                                boot.address, boot.hostname, boot.gateway));
}

}  // namespace

Result<BootFile> read_boot_file(const std::string& path) {
  HIVE_ASSIGN(const std::string text, os::read_file(path, 65536));
  HIVE_ASSIGN(const Json json, parse_json(text, path));
  BootFile out;
  out.id = json_string(json, "id");
  out.hostname = json_string(json, "hostname");
  out.address = json_string(json, "address");
  out.gateway = json_string(json, "gateway");
  out.disk = json_string(json, "disk");
  out.run = json_string(json, "run");
  out.base = json_string(json, "base", "/");
  out.binary = json_string(json, "binary");
  out.logs = json_string(json, "logs");
  out.init_binary = json_string(json, "init_binary");
  out.boot_program = json_string(json, "boot_program");
  if (out.disk.empty() || out.address.empty() || out.run.empty())
    return fail(Errc::kCorrupt, path + " lacks members");
  return out;
}

Status make_root(const BootFile& boot) {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return tl::unexpected(os::errno_error(errno, "making the mounts private"));
  const std::string root = boot.disk + "/root";
  HIVE_TRY(mount_at("overlay", root, "overlay", 0,
                    fmt::format("lowerdir={},upperdir={}/upper,workdir={}/work", boot.base,
                                boot.disk, boot.disk)));
  HIVE_TRY(mount_tree(root, boot));
  // The new root over the old one, then the old one away (pivot_root(2), "." twice).
  if (::chdir(root.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0)
    return tl::unexpected(os::errno_error(errno, "changing the root to " + root));
  ::umask(022);
  return write_names(boot);
}

Status configure_network(const BootFile& boot) {
  os::RunOptions options;
  options.input = fmt::format(
      "link set lo up\naddr add 169.254.169.254/32 dev lo\naddr add {}/24 dev eth0\n"
      "link set eth0 up\nroute add default via {}\n",
      boot.address, boot.gateway);
  HIVE_TRY(os::run_ok({"ip", "-batch", "-"}, options));
  return {};
}

}  // namespace hive::cloud::local
