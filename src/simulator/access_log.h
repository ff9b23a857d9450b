// Access logs as web servers write them (Common and Combined Log Format; Tomcat's, Apache's and
// nginx's defaults), plain or compressed, counted by the second.
//
//   192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326 "referer" "agent"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "simulator/load.h"

namespace hive::simulator {

struct BadLine {
  std::uint64_t number = 0;
  std::string why;
};

struct AccessLog {
  Load load;
  std::uint64_t lines = 0;         // read
  std::uint64_t bad = 0;           // no access log line; not counted as a request
  std::vector<BadLine> first_bad;  // at most kShownBad
};

inline constexpr std::size_t kShownBad = 5;
// More than this share of bad lines, and it is no access log.
inline constexpr double kMostBad = 0.5;

// Unix seconds of the line's time stamp; nullopt when the line is none of an access log.
std::optional<std::int64_t> parse_access_time(std::string_view line);

// Lines may be out of order by any time within the log (servers write a line when the answer ends).
// kNotFound; kInvalidArgument when it holds no requests, mostly bad lines, or spans over four
// years.
Result<AccessLog> read_access_log(const std::string& path);

}  // namespace hive::simulator
