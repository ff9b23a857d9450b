// Pid 1 of a local instance, and two helpers of it that run inside the instance:
//   hive instance-init --boot FILE            pid 1 (file descriptor 3: starts when a byte comes)
//   hive instance-init user-data              fetches and runs the user data
//   hive instance-init service NAME [--restart] [--stop-seconds N] [--at-boot] -- COMMAND...
#include <errno.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "cloud/local/machine.h"
#include "cloud/local/main.h"
#include "cloud/local/units.h"
#include "cloud/local/user_data.h"
#include "net/http_client.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

// --- the boot script, run as a child of pid 1

Result<std::string> metadata(net::HttpClient& client, const std::string& token,
                             const std::string& path) {
  net::Request request;
  request.path = path;
  request.headers.emplace("x-aws-ec2-metadata-token", token);
  HIVE_ASSIGN(const auto answer, client.send(request));
  if (answer.status == 404) return std::string();
  if (answer.status != 200)
    return fail(Errc::kUnavailable, fmt::format("{} answered {}", path, answer.status));
  return answer.body;
}

Result<std::string> fetch_user_data() {
  net::HttpClient client(net::Target{.base_url = "http://169.254.169.254"});
  net::Request request;
  request.method = "PUT";
  request.path = "/latest/api/token";
  request.headers.emplace("x-aws-ec2-metadata-token-ttl-seconds", "300");
  request.deadline = Milliseconds(5'000);
  HIVE_ASSIGN(const auto token, client.send(request));
  if (token.status != 200)
    return fail(Errc::kUnavailable, fmt::format("the metadata address answered {}", token.status));
  return metadata(client, token.body, "/latest/user-data");
}

int user_data_main() {
  Result<std::string> text = fetch_user_data();
  // The cloud's daemon may just be restarting.
  for (int tries = 0; !text && tries < 120; ++tries) {
    ::usleep(500'000);
    text = fetch_user_data();
  }
  if (!text) {
    log::error("user-data", "fetching the user data: {}", describe(text.error()));
    return 1;
  }
  const std::string done = "/var/lib/cloud/user-data-done";
  const bool first = !std::filesystem::exists(done);
  const auto ran = run_user_data(*text, first);
  if (!ran) log::error("user-data", "{}", describe(ran.error()));
  (void)os::make_directories("/var/lib/cloud", 0700);
  (void)os::write_file_atomically(done, "", 0600);
  log::info("user-data", "done");
  return ran ? 0 : 1;
}

int service_main(int argc, char** argv) {
  Unit unit;
  int at = 2;
  if (at < argc) unit.name = argv[at++];
  for (; at < argc && std::string_view(argv[at]) != "--"; ++at) {
    const std::string_view word(argv[at]);
    if (word == "--restart") unit.restart = true;
    if (word == "--at-boot") unit.at_boot = true;
    if (word == "--stop-seconds" && at + 1 < argc) unit.stop_seconds = std::atoi(argv[++at]);
  }
  for (++at; at < argc; ++at) unit.argv.emplace_back(argv[at]);
  if (unit.name.empty() || unit.argv.empty()) {
    fmt::print(stderr, "usage: hive instance-init service NAME [--restart] -- COMMAND...\n");
    return 2;
  }
  const auto saved = save_unit(unit);
  if (!saved) {
    fmt::print(stderr, "hive instance-init: {}\n", saved.error().message);
    return 1;
  }
  return ::kill(1, SIGHUP) == 0 ? 0 : 1;
}

// --- pid 1

const SystemClock kClock;

void reap(Units& units, pid_t& boot) {
  while (true) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid <= 0) return;
    if (pid == boot) boot = 0;
    units.ended(pid, kClock.now());
  }
}

bool wait_for(Units& units, pid_t pid, int seconds) {
  pid_t none = 0;
  const auto end = kClock.now() + std::chrono::seconds(seconds);
  while (kClock.now() < end) {
    reap(units, none);
    if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
    ::usleep(10'000);
  }
  return false;
}

// Services in reverse order, each with its own patience; then whatever is left.
int shut_down(Units& units, pid_t boot) {
  log::info("init", "shutting down");
  // For the agent, which empties the node then: a TERM alone may be a restart.
  const auto marked = os::write_file_atomically("/run/hive/shutdown", "", 0644);
  if (!marked) log::warn("init", "{}", describe(marked.error()));
  if (boot != 0) ::kill(boot, SIGKILL);
  for (const auto& unit : units.to_stop()) {
    ::kill(unit.pid, SIGTERM);
    if (!wait_for(units, unit.pid, unit.stop_seconds)) {
      log::warn("init", "{} did not stop within {} s; killed", unit.name, unit.stop_seconds);
      ::kill(unit.pid, SIGKILL);
    }
  }
  ::kill(-1, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  log::info("init", "halted");
  return 0;
}

int supervise(const std::string& boot_program) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGCHLD, SIGTERM, SIGPWR, SIGINT, SIGHUP}) sigaddset(&signals, number);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Units units;
  pid_t boot = 0;
  os::SpawnOptions options;
  options.log_path = "/var/log/hive/boot.log";
  std::vector<std::string> program{"/usr/local/bin/hive", "instance-init", "user-data"};
  if (!boot_program.empty()) program = {boot_program};
  if (const auto pid = os::spawn(program, options))
    boot = *pid;
  else
    log::error("init", "{}", describe(pid.error()));
  while (true) {
    units.start_due(kUnitDirectory, kClock.now());
    const timespec wait{0, 200'000'000};
    const int number = ::sigtimedwait(&signals, nullptr, &wait);
    reap(units, boot);
    if (number == SIGTERM || number == SIGPWR || number == SIGINT) return shut_down(units, boot);
  }
}

int pid_one(const std::string& boot_file) {
  const auto boot = read_boot_file(boot_file);
  if (!boot) {
    log::error("init", "{}", describe(boot.error()));
    return 1;
  }
  if (const auto made = make_root(*boot); !made) {
    log::error("init", "{}", describe(made.error()));
    return 1;
  }
  char go = 0;
  if (::read(3, &go, 1) != 1) return 1;  // whoever launched this is gone: nothing was started
  ::close(3);
  if (const auto up = configure_network(*boot); !up) {
    log::error("init", "{}", describe(up.error()));
    return 1;
  }
  log::info("init", "{} ({}) is up at {}", boot->hostname, boot->id, boot->address);
  return supervise(boot->boot_program);
}

}  // namespace

int instance_init_main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "--boot" && argc == 3) return pid_one(argv[2]);
  if (verb == "user-data") return user_data_main();
  if (verb == "service") return service_main(argc, argv);
  fmt::print(stderr, "hive instance-init is started by the local cloud\n");
  return 2;
}

}  // namespace hive::cloud::local
