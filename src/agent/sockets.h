// TCP sockets of a container's network namespace, asked of the kernel over netlink.
// Source: sock_diag(7).
#pragma once

#include <cstdint>
#include <vector>

#include "agent/stop_hands.h"
#include "base/result.h"

namespace hive::agent {

// Counts in the network namespace of the process. Connections of the loopback interface are the
// container's own. kNotFound when the process has ended. Some microseconds and a thread's switch of
// namespace; any thread.
Result<SocketSight> look_at_sockets(int pid, const std::vector<std::uint16_t>& ports);

}  // namespace hive::agent
