// --help of a command, from its declarations.
#pragma once

#include <string>

#include "cli/command.h"

namespace hive::cli {

// "hive service scale [OPTIONS] SERVICE=REPLICAS...".
std::string usage_line(const Command& command, const std::string& path);
int print_help(const Command& command, const std::string& path, Context& context);

}  // namespace hive::cli
