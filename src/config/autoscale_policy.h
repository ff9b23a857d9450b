// A service's x-hive.autoscale as the rules in decide/autoscale read it: for the controllers, from
// the service's label, and for `hive simulate`, from the file.
#pragma once

#include <set>
#include <string>

#include "config/compose.h"
#include "decide/autoscale/policy.h"

namespace hive::config {

// Of a checked file: schedules whose times do not parse are left out.
decide::autoscale::Policy autoscale_policy(const Autoscale& said);

// The figures of CloudWatch that the file's policies have as targets, each once, however many
// services ask for it.
std::set<std::string> cloudwatch_figures(const Spec& spec);

}  // namespace hive::config
