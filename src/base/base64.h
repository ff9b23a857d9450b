// Base64 with padding (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hive {

std::string base64_encode(std::string_view bytes);
// kCorrupt when `text` is not base64. Padding may be missing.
Result<std::string> base64_decode(std::string_view text);

}  // namespace hive
