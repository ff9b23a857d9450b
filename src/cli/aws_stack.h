// The Compose file as it goes to the managers of a cluster on AWS: resolved, with the files that it
// names beside it, and without what is the operator's alone.
#pragma once

#include "base/result.h"
#include "cloud/aws/board.h"
#include "config/compose.h"

namespace hive::cli {

inline constexpr const char* kStackFile = "compose.yml";

// Reads the files of configs, secrets and the registry's password. The error of one that cannot be
// read.
Result<cloud::aws::StackFiles> stack_files(config::Spec spec, const std::string& region);

}  // namespace hive::cli
