// The controllers' open, read-only API (port 7070 on managers), as far as commands need it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace hive::cli {

// Addresses of the managers, "10.77.0.2".
Result<std::vector<std::string>> manager_addresses(engine::Engine& engine);

// GET of a JSON document from the first controller that answers.
Result<Json> ask_controller(const std::vector<std::string>& addresses, const std::string& path);

}  // namespace hive::cli
