// The product's version.
#pragma once

#include <string>

#include "cli/command.h"

namespace hive::cli {

std::string version_text();
Command version_command();

}  // namespace hive::cli
