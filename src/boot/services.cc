#include "boot/services.h"

#include <filesystem>

#include "os/process.h"

namespace hive::boot {
namespace {

constexpr Milliseconds kDeadline{60'000};

bool has_systemd() {
  std::error_code ignored;
  return std::filesystem::exists("/run/systemd/system", ignored);
}

Status run(const std::vector<std::string>& words) {
  os::RunOptions options;
  options.deadline = kDeadline;
  HIVE_TRY(os::run_ok(words, options));
  return {};
}

// By the local cloud's first process; its units outlive a restart of the instance.
Status local_unit(const std::vector<std::string>& words) {
  std::vector<std::string> all{"/usr/local/bin/hive", "instance-init", "service"};
  all.insert(all.end(), words.begin(), words.end());
  return run(all);
}

}  // namespace

Status begin_at_later_boots() {
  if (has_systemd()) return run({"systemctl", "enable", "hive-boot.service"});
  return local_unit({"15-node-boot", "--at-boot", "--", "/usr/local/bin/hive", "node-boot"});
}

Status start_engine() {
  if (has_systemd()) return run({"systemctl", "enable", "--now", "docker.service"});
  // The cgroup is the instance's own, known only inside it.
  return run({"/bin/sh", "-c",
              "exec /usr/local/bin/hive instance-init service 10-dockerd --stop-seconds 20 -- "
              "/usr/sbin/dockerd --exec-opt native.cgroupdriver=cgroupfs "
              "--cgroup-parent=\"$HIVE_CGROUP\""});
}

// The agent stops first: it empties the node while controller and engine still run.
Status start_daemons(bool manager) {
  if (has_systemd()) {
    if (manager) HIVE_TRY(run({"systemctl", "enable", "--now", "hive-controller.service"}));
    return run({"systemctl", "enable", "--now", "hive-agent.service"});
  }
  if (manager)
    HIVE_TRY(local_unit({"20-controller", "--restart", "--stop-seconds", "10", "--",
                         "/usr/local/bin/hive", "controller"}));
  return local_unit(
      {"30-agent", "--restart", "--stop-seconds", "75", "--", "/usr/local/bin/hive", "agent"});
}

}  // namespace hive::boot
