// hive as a Docker CLI plugin: `docker hive ...` runs `docker-hive hive ...`.
// Source: docs.docker.com/engine/extend/cli_plugins (metadata schema 0.1.0).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace hive::cli {

// Prints the metadata and returns the exit code when asked for it. As the plugin: drops docker's
// own options and the plugin's name from the front of the arguments; -H stays, --config is set as
// DOCKER_CONFIG, and one without a meaning here (--context, --tls...) ends with the code for usage.
std::optional<int> plugin_entry(const std::string& program, std::vector<std::string>& arguments);

Command plugin_command();

}  // namespace hive::cli
