// hive as a Docker CLI plugin: `docker hive ...` runs `docker-hive hive ...`.
// Source: docs.docker.com/engine/extend/cli_plugins (metadata schema 0.1.0).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace hive::cli {

// Prints the metadata and returns the exit code when asked for it; drops the plugin's own name from
// the arguments when the docker CLI put it there.
std::optional<int> plugin_entry(const std::string& program, std::vector<std::string>& arguments);

Command plugin_command();

}  // namespace hive::cli
