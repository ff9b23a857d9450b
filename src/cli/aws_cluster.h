// What the commands do about a cluster with `cloud: aws`. The machines that are made do not form a
// Swarm by themselves yet (TODO(#5)); each command says so where it matters.
#pragma once

#include "cli/context.h"
#include "config/compose.h"

namespace hive::cli {

// hive up --dry-run: the plan as a diff with what exists, and an estimate of the monthly cost.
int aws_dry_run(Context& context, const config::Spec& spec);

// hive aws apply, hive aws remove. They ask first, unless `yes`.
int aws_apply(Context& context, const config::Spec& spec, bool yes);
int aws_remove(Context& context, const config::Spec& spec, bool yes);

}  // namespace hive::cli
