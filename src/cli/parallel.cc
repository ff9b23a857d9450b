#include "cli/parallel.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace hive::cli {

Status run_all(const std::vector<std::function<Status()>>& jobs, std::size_t limit) {
  std::vector<std::optional<Error>> failures(jobs.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      if (auto done = jobs[i](); !done) failures[i] = std::move(done).error();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(limit, jobs.size()); ++i) threads.emplace_back(work);
  for (auto& thread : threads) thread.join();
  std::optional<Error> all;
  for (auto& failure : failures) {
    if (!failure) continue;
    if (all) {
      all->message += "; " + failure->message;
    } else {
      all = std::move(failure);
    }
  }
  if (all) return tl::unexpected(*all);
  return {};
}

}  // namespace hive::cli
