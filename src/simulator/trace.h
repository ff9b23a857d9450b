// Trace files: requests counted per step, and how they become a load of single seconds.
//
//   # step_s: 60                    seconds of each count; 1 when absent
//   # start: 1998-04-30T21:30:00Z   UTC; 1970-01-01T00:00:00Z when absent
//   # source: where it comes from   shown; optional
//   2
//   17
//
// gzip or plain. Other comments (#) and empty lines are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "simulator/load.h"

namespace hive::simulator {

struct Trace {
  std::string name;  // the file's, without directory and endings
  std::int64_t step_s = 1;
  std::int64_t start = 0;  // Unix seconds
  std::string source;
  std::vector<double> counts;  // requests in each step
};

// Of all seconds that a load may have: four years.
inline constexpr std::size_t kMaxSeconds = std::size_t{4} * 366 * 86'400;

// kNotFound; kInvalidArgument naming file and line of what is no count or no valid comment.
Result<Trace> read_trace(const std::string& path);

// "1998-04-30T21:30:00Z" as Unix seconds.
std::optional<std::int64_t> parse_utc(std::string_view text);

// Variance divided by mean of the counts of single seconds around their local mean (20 s): 1.29 on
// the Twitter stream sample of 2021 (64 requests/s), 1.28 on NASA's server of 1995 (0.8
// requests/s).
inline constexpr double kDispersion = 1.28;

// Seconds of a trace: those of a step of 1 s are the counts. A longer step is too easy when it is
// spread evenly: its rate is interpolated between the middles of steps so that each step keeps its
// total in expectation, and each second is drawn from the negative binomial distribution with that
// mean and kDispersion times it as variance. `first_s` and `at_most_s` cut a part out.
// Gaps in the measuring are found as by find_gaps().
Result<Load> to_load(const Trace& trace, Random& random, std::size_t at_most_s = kMaxSeconds,
                     std::size_t first_s = 0);

// At least ten minutes without a request where the hour before had five a second or more: the
// collection stopped, not the demand (Twitter's sample lacks about 1,740 s at each day's end).
std::vector<Span> find_gaps(const std::vector<float>& requests);

}  // namespace hive::simulator
