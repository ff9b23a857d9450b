// Small things about text that every room needs: splitting, durations, sizes, and "did you mean".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hive {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);

// Go's duration syntax, as Compose has it: "1m30s", "500ms", "1.5h". kInvalidArgument otherwise.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
// "1m30s", as Go prints it.
std::string format_duration(std::chrono::nanoseconds duration);

// docker's byte sizes: "50M", "1gb", "1024" (binary multiples).
Result<std::int64_t> parse_bytes(std::string_view text);
// "1.5GiB".
std::string format_bytes(std::int64_t bytes);

// "3 minutes ago" style, as docker's tables have it: "Less than a second", "About an hour".
std::string format_age(std::chrono::seconds age);

// The candidate nearest to `word` by edit distance, when near enough to be a likely typo.
std::optional<std::string> did_you_mean(std::string_view word,
                                        const std::vector<std::string>& candidates);

}  // namespace hive
