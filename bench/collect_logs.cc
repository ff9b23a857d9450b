// The log collector alone, over one directory, for bench/logs.py:
//   collect_logs ROOT STORE STATE [BYTES]   collects ROOT/*.log; ends at SIGTERM, or with BYTES
//   safe
#include <fmt/core.h>
#include <signal.h>

#include <charconv>
#include <cstring>
#include <string>

#include "logs/collector.h"

namespace {

using hive::logs::Collector;

int collect(const std::string& root, const std::string& store, const std::string& state,
            std::uint64_t until) {
  const hive::SystemClock clock;
  hive::logs::CollectorOptions options;
  options.destination = store;
  options.state = state;
  const auto collector = hive::logs::make_collector(options, clock);
  if (!collector) {
    fmt::print(stderr, "collect_logs: {}\n", collector.error().message);
    return 1;
  }
  Collector& running = **collector;
  hive::logs::WatchedContainer bench{.id = "bench", .task_id = "task", .service = "bench"};
  bench.node = "node";
  bench.upper_dir = root;
  bench.policy.paths = {"/*.log"};
  if (!running.start()) return 1;
  running.watch(std::move(bench));
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  const timespec look{0, 10'000'000};
  while (::sigtimedwait(&end, nullptr, &look) < 0)
    if (until != 0 && running.delivery("bench").bytes_safe >= until) break;
  running.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, "usage: collect_logs ROOT STORE STATE [BYTES]\n");
    return 2;
  }
  std::uint64_t until = 0;
  if (argc == 5) std::from_chars(argv[4], argv[4] + std::strlen(argv[4]), until);
  // Before the collector's threads: they inherit it.
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &end, nullptr);
  return collect(argv[1], argv[2], argv[3], until);
}
