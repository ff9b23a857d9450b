// The door of a container: a rule in its network namespace that refuses new connections to its
// target ports, so that whoever still comes is turned away before a request was sent, and goes
// elsewhere. Open connections and the loopback interface are left alone.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace hive::agent {

// Edges send by IPv4, so that is what is refused. kNotFound when the process has ended;
// kUnsupported where the kernel has no packet filter, or the container no network of its own. Takes
// some milliseconds: iptables is run.
Status close_door(int pid, const std::vector<std::uint16_t>& ports);

}  // namespace hive::agent
