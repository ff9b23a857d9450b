// The cluster's durable intent in Swarm itself: config object `hive.cluster`, from which any
// manager's controller learns what the file asked for.
#pragma once

#include "base/result.h"
#include "config/compose.h"
#include "engine/engine.h"

namespace hive::cli {

inline constexpr const char* kClusterConfig = "hive.cluster";

// {"name","cloud","managers","workers":{min,max,scale_in_after_ms,
// join_timeout_ms},"dashboard_port","listeners":[{"listen",
// "instance","mode","certificate","proxy"}],"x_hive":{...}}.
Json cluster_config_of(const config::Spec& spec);

// Writes it unless it is there and equal; true when it was written.
Result<bool> write_cluster_config(engine::Engine& engine, const config::Spec& spec);

}  // namespace hive::cli
