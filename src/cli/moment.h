// Moments as docker's command line takes them (--since, --until).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace hive::cli {

// "10m" (so long ago), "1795537690" or "1795537690.5" (seconds since 1970), "2026-11-24",
// "2026-11-24T16:28:13", with a fraction, with "Z" or "+09:00"; without a zone it is local time.
// kInvalidArgument names the forms.
Result<WallTime> parse_moment(std::string_view text, WallTime now);

// "1795537690.500000000": the form of the Engine API.
std::string engine_moment(WallTime moment);

}  // namespace hive::cli
