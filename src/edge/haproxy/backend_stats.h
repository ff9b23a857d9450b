// What came to an edge for each service and what waits there, out of HAProxy's rows. Pure.
#pragma once

#include <vector>

#include "edge/haproxy/runtime.h"
#include "model/routing.h"

namespace hive::edge::haproxy {

// One for each backend of the table, in its order, over its HAProxy backends: a request counts in
// the one that it came to. Zeros for those that HAProxy has no row of yet.
std::vector<model::BackendStats> backend_stats(const model::RoutingTable& table,
                                               const std::vector<ServerRow>& rows);

}  // namespace hive::edge::haproxy
