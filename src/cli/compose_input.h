// Reading the Compose file that a command is about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/compose.h"

namespace hive::cli {

class Context;

// The files given, else the first of hive.yml, hive.yaml, compose.yml, compose.yaml,
// docker-compose.yml, docker-compose.yaml in the current directory; empty when there is none.
std::vector<std::string> compose_files(const std::vector<std::string>& given);

// x-hive.name of the files (given, or found here), or empty when they do not load or name none.
std::string cluster_of_compose(const std::vector<std::string>& given);

// x-hive.cloud of the files, likewise.
std::string cloud_of_compose(const std::vector<std::string>& given);

// This process's environment.
config::StringMap own_environment();

// Loads them. On faults prints all of them and returns nothing (exit code kExitRefused); warnings
// are printed too.
std::optional<config::Spec> load_compose(Context& context, const std::vector<std::string>& given,
                                         bool need_hive);

}  // namespace hive::cli
