// The part of an operation that brings one machine by its name: the cloud starts it, it is let into
// the Swarm, waited for, and put behind the cloud's balancer. One that is no ready node in time is
// taken out and ended, and another is tried, kLaunchAttempts times, after a longer pause each.
// Where the cloud has no capacity it is asked again, less and less often, for kCapacityMs. A node
// that may have tasks is never ended here.
#pragma once

#include <cstdint>
#include <string>

#include "controller/operation.h"
#include "model/cluster.h"

namespace hive::controller {

inline constexpr int kLaunchAttempts = 3;
inline constexpr std::int64_t kJoinTimeoutMs = 180'000;
// A cloud machine that installs what it needs takes minutes, whatever the file says of joining.
inline constexpr std::int64_t kLeastJoinMs = 600'000;

struct LaunchAsk {
  const OperationRecord& record;
  const OperationInput& input;
  std::string name;  // host name
  model::Role role = model::Role::kWorker;
  std::string reason;
  std::int64_t timeout_ms = kJoinTimeoutMs;  // from the start to a ready node
  int max_workers = 0;                       // no worker beyond; 0 = no bound
  std::string token;  // with the attempt's number behind it, the launch's idempotency token
};

// Adds to the step, and ends it; the step's state is this part's own, begun as {"attempt": 1}.
// Nothing else may launch a machine of that name meanwhile.
void launch_part(const LaunchAsk& ask, OperationStep& step);

const cloud::Instance* instance_named(const World& world, const std::string& name);
// Instances of the cloud that are workers; those terminated are not listed.
int count_workers(const std::vector<cloud::Instance>& instances);

}  // namespace hive::controller
