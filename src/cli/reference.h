// The command reference of docs/commands.md, generated from the declarations.
#pragma once

#include <string>

#include "cli/command.h"

namespace hive::cli {

std::string command_reference(const Command& root);
Command reference_command();  // hidden: prints it, to be put into docs/commands.md

}  // namespace hive::cli
