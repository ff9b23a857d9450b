// Words of others, such as an engine's or a file's, made fit for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace hive::cli {

// Control characters (but newline and tab) become '?', bytes that are no UTF-8 U+FFFD.
std::string printable(std::string_view text);

}  // namespace hive::cli
