// Canaries that no rollout knows any more. They serve a share of the requests until somebody ends
// them.
#pragma once

#include <vector>

#include "base/json.h"
#include "cli/preflight.h"
#include "model/cluster.h"

namespace hive::cli {

// `operations`: what the acting controller says is under way; null when none answers, and then
// every canary may be a stray one.
std::vector<PreflightFinding> stray_canaries(const std::vector<model::Service>& services,
                                             const Json& operations);

}  // namespace hive::cli
