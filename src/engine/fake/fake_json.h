// Shared by the files of the fake.
#pragma once

#include <string>

#include "base/json.h"

namespace hive::engine::fake {

// Spec.Name, Name or the host name, whichever the object has.
std::string name_of(const Json& object);

}  // namespace hive::engine::fake
