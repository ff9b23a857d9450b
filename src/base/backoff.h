// Bounded exponential backoff with full jitter, for every retry loop in the project.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/random.h"

namespace hive {

struct BackoffPolicy {
  Milliseconds first{100};
  Milliseconds max{5'000};
  int max_attempts = 8;  // attempts in all, the first one included
};

class Backoff {
 public:
  Backoff(BackoffPolicy policy, Random& random) : policy_(policy), random_(&random) {}
  // The time to wait before the next attempt; nothing when the attempts are used up.
  std::optional<Milliseconds> next();
  void reset() { attempts_ = 1; }
  int attempts() const { return attempts_; }

 private:
  BackoffPolicy policy_;
  Random* random_;
  int attempts_ = 1;
};

}  // namespace hive
