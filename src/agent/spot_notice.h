// EC2's notice that a Spot instance will be reclaimed, two minutes ahead: the machine goes, as if
// it were shut down. Source: EC2 User Guide, "Spot Instance interruption notices"
// (meta-data/spot/instance-action).
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace hive::agent {

// How long the node has, some seconds of margin taken off, of a notice such as
//   {"action": "terminate", "time": "2026-01-31T12:00:00Z"}
// At least a second; two minutes less the margin when it does not parse.
Milliseconds spot_time_left(const std::string& notice, WallTime now);

// Asks every five seconds until there is a notice, which is told once, or until stopped. `ask`
// gives the notice; kNotFound while there is none.
void watch_spot(const std::function<Result<std::string>()>& ask, const Clock& clock,
                const std::function<void(Milliseconds)>& told, const std::stop_token& stop);

}  // namespace hive::agent
