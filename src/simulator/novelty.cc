#include "simulator/novelty.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hive::simulator {

double novel_share(const Load& load, const WorldOptions& options) {
  const double boot = options.spread ? options.spread->median_s : options.boot_s;
  const auto lead = static_cast<std::size_t>(std::llround(boot + options.container_start_s));
  double record = initial_replicas(load, options);
  double demand = 0;
  double novel = 0;
  std::vector<float> seen;  // measured seconds so far
  seen.reserve(load.requests.size());
  each_measured(load, [&](std::size_t t) {
    // Seen at the end of its second, ordered then, serving `lead` seconds later.
    if (seen.size() > lead)
      record = std::max(record, std::ceil(static_cast<double>(seen[seen.size() - 1 - lead])));
    const double work = static_cast<double>(load.requests[t]) / options.capacity;
    seen.push_back(static_cast<float>(work));
    demand += work;
    novel += std::max(0.0, work - std::min<double>(record, options.max));
  });
  return demand > 0 ? novel / demand : 0;
}

}  // namespace hive::simulator
