#include "cloud/local/instance.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "cloud/local/allocation.h"
#include "cloud/local/cgroups.h"
#include "cloud/local/disk.h"
#include "cloud/local/network.h"
#include "cloud/local/registry.h"
#include "os/file.h"
#include "os/process.h"
#include "os/secret.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

// The agent has 75 s of it, the controller 10, the engine 20.
constexpr auto kOrderlyStop = std::chrono::seconds(110);
constexpr auto kKill = std::chrono::seconds(20);

// Waits for the end of a process that may or may not be a child of this one.
bool wait_for_end(pid_t pid, unsigned long long start_time, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (os::alive(pid, start_time)) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(5'000);
  }
  ::waitpid(pid, nullptr, WNOHANG);
  return true;
}

// Between clone and exec only calls that are safe in a copy of a threaded process.
pid_t clone_into(const char* program, char* const* argv, char* const* envp, int go, int console) {
  const unsigned long flags =
      CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD;
  const long pid = ::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, 0);
  if (pid != 0) return static_cast<pid_t>(pid);
  ::syscall(SYS_setsid);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(console, 1);
  ::dup2(console, 2);
  if (go == 3)
    ::fcntl(go, F_SETFD, 0);
  else
    ::dup2(go, 3);
  ::syscall(SYS_close_range, 4U, ~0U, 0U);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(program, argv, envp);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (auto& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Instances::Instances(Paths paths, LocalCluster cluster, InstanceHooks hooks)
    : paths_(std::move(paths)), cluster_(std::move(cluster)), hooks_(std::move(hooks)) {}

Instance Instances::view(const InstanceRecord& record) const {
  Instance out;
  out.id = record.id;
  out.hostname = record.hostname;
  out.role = record.role;
  out.address = record.address;
  out.launched_unix_ms = record.launched_unix_ms;
  const bool lives = record.pid > 0 && os::alive(record.pid, record.start_time);
  out.state = record.state;
  // A record says what is meant; the process says what is.
  if (record.state == InstanceState::kRunning && !lives) out.state = InstanceState::kStopped;
  out.engine_host = "unix://" + (paths_.instance_run(record.id) / "docker.sock").string();
  return out;
}

Result<InstanceRecord> Instances::allocate(const LaunchRequest& request, bool& is_new) {
  std::lock_guard lock(mutex_);
  HIVE_ASSIGN(const auto records, load_instances(paths_));
  is_new = false;
  for (const auto& r : records)
    if (!request.idempotency_token.empty() && r.token == request.idempotency_token &&
        r.state != InstanceState::kTerminated)
      return r;
  HIVE_ASSIGN(InstanceRecord out, new_instance(records, cluster_, request));
  HIVE_ASSIGN(const std::string hex, os::random_hex(4));
  out.id = "i-" + hex;
  out.launched_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  HIVE_TRY(os::make_directories(paths_.instance(out.id), 0700));
  HIVE_TRY(
      os::write_file_atomically(paths_.instance(out.id) / "user-data", request.user_data, 0600));
  HIVE_TRY(save_instance(paths_, out));
  is_new = true;
  return out;
}

Result<Instance> Instances::launch(const LaunchRequest& request) {
  if (request.role != "manager" && request.role != "worker")
    return fail(Errc::kInvalidArgument,
                fmt::format("an instance's role is manager or worker, not \"{}\"", request.role));
  bool is_new = false;
  HIVE_ASSIGN(InstanceRecord record, allocate(request, is_new));
  if (is_new) {
    if (const auto booted = boot(record); !booted) {
      (void)terminate(record.id);
      return annotate(booted.error(), "launching " + record.hostname);
    }
  }
  HIVE_ASSIGN(record, this->record(record.id));
  return view(record);
}

std::vector<std::string> Instances::write_boot_file(const InstanceRecord& record, Status& status) {
  const fs::path base = paths_.instance(record.id);
  const Json boot{{"id", record.id},
                  {"hostname", record.hostname},
                  {"address", record.address},
                  {"gateway", cluster_.gateway},
                  {"disk", base.string()},
                  {"run", paths_.instance_run(record.id).string()},
                  {"binary", paths_.binary().string()},
                  {"logs", paths_.logs().string()},
                  {"init_binary", paths_.init_binary().string()}};
  status = os::write_file_atomically(base / "boot.json", boot.dump(2), 0600);
  return {"hive", "instance-init", "--boot", (base / "boot.json").string()};
}

Status Instances::boot(InstanceRecord record) {
  const std::string place = cgroup_place(paths_) + "/" + record.id;
  HIVE_TRY(prepare_disk(paths_, record.id,
                        record.role == "manager" ? registry_docker_config(cluster_) : ""));
  HIVE_TRY(prepare_run(paths_, record.id));
  HIVE_TRY(make_cgroups(place));
  Status status;
  auto args = write_boot_file(record, status);
  HIVE_TRY(status);
  std::vector<std::string> env{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "HOME=/root",
                               "TERM=linux",
                               "LANG=C.UTF-8",
                               "HIVE_INSTANCE=" + record.id,
                               "HIVE_CGROUP=/" + place,
                               environment_mark(paths_)};
  const std::string console = (paths_.instance(record.id) / "console.log").string();
  const int console_fd = ::open(console.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  int go[2] = {-1, -1};
  if (console_fd < 0 || ::pipe2(go, O_CLOEXEC) != 0) {
    const auto error = os::errno_error(errno, "opening " + console);
    if (console_fd >= 0) ::close(console_fd);
    return tl::unexpected(error);
  }
  const auto argv = pointers(args);
  const auto envp = pointers(env);
  const std::string program = paths_.binary().string();
  const pid_t pid = clone_into(program.c_str(), argv.data(), envp.data(), go[0], console_fd);
  const int clone_errno = errno;
  ::close(go[0]);
  ::close(console_fd);
  if (pid < 0) {
    ::close(go[1]);
    return tl::unexpected(os::errno_error(clone_errno, "making the namespaces of an instance"));
  }
  const auto save = [&]() -> Status {
    std::lock_guard lock(mutex_);
    return save_instance(paths_, record);
  };
  // From here on the child waits for the pipe: should this daemon die, it ends by itself.
  const auto prepare = [&]() -> Status {
    const auto since = os::start_time(pid);
    if (!since) return tl::unexpected(since.error());
    record.pid = pid;
    record.start_time = *since;
    record.state = InstanceState::kPending;
    HIVE_TRY(save());
    HIVE_TRY(enter_cgroups(place, pid));
    HIVE_TRY(plug_in(cluster_, record.host_number, pid));
    if (hooks_.booting) HIVE_TRY(hooks_.booting(record));
    if (::write(go[1], "g", 1) != 1)
      return tl::unexpected(os::errno_error(errno, "starting the instance's first process"));
    record.state = InstanceState::kRunning;
    return save();
  };
  status = prepare();
  ::close(go[1]);
  if (!status) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    if (hooks_.gone) hooks_.gone(record.id);
  }
  return status;
}

Result<std::vector<Instance>> Instances::list() {
  std::lock_guard lock(mutex_);
  HIVE_ASSIGN(const auto records, load_instances(paths_));
  std::vector<Instance> out;
  for (const auto& r : records)
    if (r.state != InstanceState::kTerminated) out.push_back(view(r));
  std::sort(out.begin(), out.end(), [](const Instance& a, const Instance& b) {
    return a.launched_unix_ms != b.launched_unix_ms ? a.launched_unix_ms < b.launched_unix_ms
                                                    : a.address < b.address;
  });
  return out;
}

Result<InstanceRecord> Instances::record(const std::string& id) {
  std::lock_guard lock(mutex_);
  if (id.empty() || id.find('/') != std::string::npos || id.starts_with("."))
    return fail(Errc::kInvalidArgument, fmt::format("\"{}\" is no instance id", id));
  auto out = load_instance(paths_, id);
  if (!out && out.error().code == Errc::kNotFound)
    return fail(Errc::kNotFound, fmt::format("there is no instance {}", id));
  return out;
}

Status Instances::start(const std::string& id) {
  HIVE_ASSIGN(InstanceRecord r, record(id));
  if (r.state == InstanceState::kTerminated)
    return fail(Errc::kFailedPrecondition, fmt::format("instance {} is terminated", id));
  if (r.pid > 0 && os::alive(r.pid, r.start_time)) return {};
  if (hooks_.gone) hooks_.gone(id);
  for (const pid_t left : cgroup_members(cgroup_place(paths_) + "/" + id)) ::kill(left, SIGKILL);
  return boot(std::move(r));
}

Status Instances::end(const std::string& id, bool orderly) {
  HIVE_ASSIGN(InstanceRecord r, record(id));
  if (r.pid > 0 && os::alive(r.pid, r.start_time)) {
    bool ended = false;
    if (orderly) {
      ::kill(r.pid, SIGTERM);
      ended = wait_for_end(r.pid, r.start_time, kOrderlyStop);
    }
    if (!ended && os::alive(r.pid, r.start_time)) {
      ::kill(r.pid, SIGKILL);
      if (!wait_for_end(r.pid, r.start_time, kKill))
        return fail(Errc::kDeadlineExceeded,
                    fmt::format("instance {} (process {}) does not end", id, r.pid));
    }
  }
  // Everything in its pid namespace died with it; this is for a record that lost its process.
  for (const pid_t left : cgroup_members(cgroup_place(paths_) + "/" + id)) ::kill(left, SIGKILL);
  if (hooks_.gone) hooks_.gone(id);
  std::lock_guard lock(mutex_);
  r.state = InstanceState::kStopped;
  r.pid = 0;
  return save_instance(paths_, r);
}

Status Instances::stop(const std::string& id) { return end(id, true); }
Status Instances::power_off(const std::string& id) { return end(id, false); }

Status Instances::terminate(const std::string& id) {
  const auto r = record(id);
  if (!r && r.error().code == Errc::kNotFound) return {};
  if (!r) return tl::unexpected(r.error());
  HIVE_TRY(end(id, true));
  {
    std::lock_guard lock(mutex_);
    auto gone = *r;
    gone.state = InstanceState::kTerminated;
    gone.pid = 0;
    HIVE_TRY(save_instance(paths_, gone));
  }
  const auto cgroups = remove_cgroups(cgroup_place(paths_) + "/" + id);
  if (!cgroups) log::warn("cloud", "{}", describe(cgroups.error()));
  return remove_disk(paths_, id);
}

Result<std::string> Instances::console_output(const std::string& id, std::size_t max_bytes) {
  HIVE_TRY(record(id));
  HIVE_ASSIGN(std::string text, os::read_file(paths_.instance(id) / "console.log"));
  if (text.size() > max_bytes) text.erase(0, text.size() - max_bytes);
  return text;
}

Result<std::string> Instances::user_data(const std::string& id) {
  HIVE_TRY(record(id));
  return os::read_file(paths_.instance(id) / "user-data", 1U << 20);
}

Status Instances::adopt() {
  HIVE_ASSIGN(const auto records, load_instances(paths_));
  for (const auto& r : records) {
    if (r.state == InstanceState::kTerminated) {
      HIVE_TRY(remove_disk(paths_, r.id));
      continue;
    }
    const bool lives = r.pid > 0 && os::alive(r.pid, r.start_time);
    if (r.state == InstanceState::kPending && !lives) {
      // Cut off before its first process ran: that one has ended by itself. The launch with the
      // same token is done anew.
      HIVE_TRY(terminate(r.id));
      continue;
    }
    if (r.state == InstanceState::kPending) {
      auto running = r;
      running.state = InstanceState::kRunning;
      HIVE_TRY(save_instance(paths_, running));
    }
    if (r.pid > 0 && os::alive(r.pid, r.start_time) && hooks_.booting) {
      if (const auto opened = hooks_.booting(r); !opened)
        log::warn("cloud", "adopting {}: {}", r.hostname, describe(opened.error()));
    }
  }
  return {};
}

void Instances::reap() {
  std::vector<InstanceRecord> records;
  {
    std::lock_guard lock(mutex_);
    auto loaded = load_instances(paths_);
    if (loaded) records = std::move(*loaded);
  }
  for (const auto& r : records)
    if (r.pid > 0 && r.state == InstanceState::kRunning && !os::alive(r.pid, r.start_time)) {
      ::waitpid(r.pid, nullptr, WNOHANG);
      if (hooks_.gone) hooks_.gone(r.id);
    }
}

}  // namespace hive::cloud::local
