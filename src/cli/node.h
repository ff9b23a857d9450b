// hive node: Swarm's nodes.
#pragma once

#include "cli/command.h"

namespace hive::cli {

Command node_command();

}  // namespace hive::cli
