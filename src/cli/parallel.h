// The same kind of work for several things at once: at most `limit` threads, first error kept, all
// errors in its message.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace hive::cli {

inline constexpr std::size_t kMaxThreads = 16;

// Runs every job, even when one fails. The error carries the first failure's code and every
// failure's message, parted by "; ".
Status run_all(const std::vector<std::function<Status()>>& jobs, std::size_t limit = kMaxThreads);

}  // namespace hive::cli
