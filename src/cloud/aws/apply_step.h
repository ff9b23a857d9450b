// What the files of the applier share. Of this room alone.
#pragma once

#include <string>

#include "base/result.h"

namespace hive::cloud::aws {

// A status as a step's result, without words.
Result<std::string> plain(Status status);

}  // namespace hive::cloud::aws
