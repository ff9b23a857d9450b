// Lines of a text file, plain or compressed (gzip, bzip2, xz, zstd), read as a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::simulator {

// Longer lines are cut there.
inline constexpr std::size_t kMaxLineBytes = 64U << 10;

// Calls visit(line, number) for each line, without its line end; numbers start at 1. A line that
// visit() fails on ends the reading with its error. kNotFound, kCorrupt (damaged compression).
Status each_line(const std::string& path,
                 const std::function<Status(std::string_view line, std::uint64_t number)>& visit);

}  // namespace hive::simulator
