#include "simulator/load.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {

std::size_t measured_seconds(const Load& load) {
  std::size_t seconds = load.requests.size();
  for (const Span& gap : load.gaps) seconds -= gap.end - gap.begin;
  return seconds;
}

double measured_requests(const Load& load) {
  double sum = 0;
  each_measured(load, [&](std::size_t t) { sum += static_cast<double>(load.requests[t]); });
  return sum;
}

float quantile(const Load& load, double share) {
  std::vector<float> values;
  values.reserve(load.requests.size());
  each_measured(load, [&](std::size_t t) { values.push_back(load.requests[t]); });
  if (values.empty()) return 0;
  const auto last = static_cast<double>(values.size() - 1);
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(std::clamp(share, 0.0, 1.0) * last));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

}  // namespace hive::simulator
