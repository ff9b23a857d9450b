// The controllers' open, read-only API (port 7070 on managers), as far as commands need it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace hive::cli {

// Addresses of the managers, "10.77.0.2".
Result<std::vector<std::string>> manager_addresses(engine::Engine& engine);

// GET of a JSON document from the first controller that answers.
Result<Json> ask_controller(const std::vector<std::string>& addresses, const std::string& path);

// Follows the controller's server-sent events until `on_event` returns false. Goes on with another
// controller when one ends; kUnavailable when none answers.
Status follow_controller(
    const std::vector<std::string>& addresses, const std::string& path,
    const std::function<bool(std::string_view event, const std::string& data)>& on_event);

}  // namespace hive::cli
