// What the commands do about the resources of a cluster with `cloud: aws`. hive up is in aws_up.h.
#pragma once

#include <string>

#include "cli/context.h"
#include "cloud/aws/plan.h"
#include "config/compose.h"

namespace hive::cli {

// hive up --dry-run: the plan as a diff with what exists, and an estimate of the monthly cost.
int aws_dry_run(Context& context, const config::Spec& spec);

// hive aws apply, hive down. They ask first, unless `yes`.
int aws_apply(Context& context, const config::Spec& spec, bool yes);
int aws_remove(Context& context, const config::Spec& spec, bool yes);

// "made security group hive-shop-nodes (sg-1)".
std::string aws_done_line(const cloud::aws::Step& step, const std::string& how);

}  // namespace hive::cli
