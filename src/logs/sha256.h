// SHA-256, for Filebeat's fingerprints of files.
#pragma once

#include <string>
#include <string_view>

namespace hive::logs {

// Lower-case hexadecimal.
std::string sha256_hex(std::string_view bytes);

}  // namespace hive::logs
