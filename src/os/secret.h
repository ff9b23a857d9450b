// Secrets: random text from the kernel, never from a seeded generator.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace hive::os {

// `bytes` random bytes as lower-case hexadecimal (two characters each).
Result<std::string> random_hex(std::size_t bytes);

}  // namespace hive::os
