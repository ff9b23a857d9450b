// Demand over time, second by second: what every part of the simulator works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hive::simulator {

inline constexpr std::size_t kHour = 3600;  // seconds

// Seconds [begin, end) of a load.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
};

struct Load {
  std::string name;
  std::int64_t start = 0;       // Unix seconds (UTC) of the first second
  std::vector<float> requests;  // arrivals in each second
  // Seconds in which nothing was measured, in order, not touching each other. Policies see no
  // signal in them, and they count neither as cost nor as demand.
  std::vector<Span> gaps;
};

// Seconds that count, and the demand in them.
std::size_t measured_seconds(const Load& load);
double measured_requests(const Load& load);

// The value that a share `quantile` of the measured seconds does not exceed; 0 for an empty load.
float quantile(const Load& load, double quantile);

// Calls visit(second) for each measured second, in order.
template <typename Visit>
void each_measured(const Load& load, Visit visit) {
  std::size_t next = 0;
  for (const Span& gap : load.gaps) {
    for (; next < gap.begin; ++next) visit(next);
    next = gap.end;
  }
  for (; next < load.requests.size(); ++next) visit(next);
}

}  // namespace hive::simulator
