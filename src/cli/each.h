// The same thing for each name of a command line: all are tried, each fault is printed, and the
// exit code is the first fault's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hive::engine {
class Engine;
}

namespace hive::cli {

class Context;

// Prints each name that succeeded, as docker does.
int for_each(Context& context, const std::vector<std::string>& names,
             const std::function<Status(engine::Engine&, const std::string&)>& act);

// Prints one JSON array of what was found.
int inspect_each(Context& context, const std::vector<std::string>& names,
                 const std::function<Result<Json>(engine::Engine&, const std::string&)>& read);

}  // namespace hive::cli
