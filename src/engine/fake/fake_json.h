// Shared by the files of the fake.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace hive::engine::fake {

// At which everything happens.
inline constexpr std::string_view kTime = "2026-01-01T00:00:00.000000000Z";

// Spec.Name, Name or the host name, whichever the object has.
std::string name_of(const Json& object);

}  // namespace hive::engine::fake
