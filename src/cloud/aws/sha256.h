// SHA-256, as signatures and the notice board have it.
#pragma once

#include <string>
#include <string_view>

namespace hive::cloud::aws {

// Two lower-case hexadecimal digits a byte.
std::string to_hex(std::string_view bytes);
// The digest of the bytes, in such digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace hive::cloud::aws
