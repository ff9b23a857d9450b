// A running instance's engine becomes a node of a Swarm, by its own socket on this machine: the
// local cloud's stand-in for a command that a cloud runs inside an instance.
#pragma once

#include "cloud/local/state.h"

namespace hive::cloud::local {

// As Cloud::join().
Status join_swarm(const Paths& paths, const InstanceRecord& record, const SwarmPlace& place);

}  // namespace hive::cloud::local
