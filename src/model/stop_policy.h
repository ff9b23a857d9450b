// How a service wants its containers stopped: the deadlines and commands of the stop sequence
// (claimed, waiting, draining, hooks, stopping, flushing). From x-hive.drain of its Compose file;
// what the file leaves out has the defaults here.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace hive::model {

struct StopPolicy {
  Milliseconds drain{30'000};             // waiting and draining together
  std::vector<std::string> pre_stop;      // run inside the container; empty = none
  Milliseconds hooks{30'000};             // of pre_stop
  std::vector<std::string> stop_command;  // instead of the stop signal; empty = the signal
  Milliseconds stop{30'000};              // from the stop signal to the application's end
  Milliseconds flush{30'000};             // until the last log line is safe
  bool operator==(const StopPolicy&) const = default;
};

// Between the last deadline and Docker's SIGKILL.
inline constexpr Milliseconds kStopMargin{5'000};

// What Swarm's StopGracePeriod must be so that Docker never kills within a deadline.
constexpr Milliseconds grace_period(const StopPolicy& policy) {
  const Milliseconds hooks = policy.pre_stop.empty() ? Milliseconds(0) : policy.hooks;
  return policy.drain + hooks + policy.stop + policy.flush + kStopMargin;
}

}  // namespace hive::model
