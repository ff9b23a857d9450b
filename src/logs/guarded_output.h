// Stands in front of a destination and says when a call to it does not come back.
#pragma once

#include <atomic>
#include <memory>

#include "base/clock.h"
#include "logs/output.h"

namespace hive::logs {

// Shared by a destination's writer and those who watch over it.
struct OutputGuard {
  std::atomic<MonotonicTime> busy_since{};  // when the call now running began; 0 = none runs
  // Set when nobody waits for the call any more: the thread that comes back from it stops there for
  // ever, since whatever it would go on with is gone.
  std::atomic<bool> abandoned{false};
};

// `clock` must live for as long as the guard is not abandoned.
std::unique_ptr<OutputDirectory> guard_output(std::unique_ptr<OutputDirectory> directory,
                                              std::shared_ptr<OutputGuard> guard,
                                              const Clock& clock);

}  // namespace hive::logs
