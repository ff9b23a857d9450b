// What Swarm's managers refuse of a service, found in the file before anything is made: a deploy
// that fails at its third service has made two. Source: swarmkit as in moby 20.10,
// manager/controlapi/service.go, manager/constraint/constraint.go and template/context.go.
#pragma once

#include "config/findings.h"

namespace hive::config {

void check_swarm_rules(const Spec& spec, Findings& findings);

}  // namespace hive::config
