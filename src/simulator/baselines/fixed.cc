#include "simulator/baselines/fixed.h"

#include <algorithm>
#include <cmath>

namespace hive::simulator {

int peak_replicas(const Load& load, double capacity) {
  return std::max(1,
                  static_cast<int>(std::ceil(static_cast<double>(quantile(load, 1)) / capacity)));
}

int mean_replicas(const Load& load, double capacity) {
  const auto seconds = static_cast<double>(std::max<std::size_t>(1, measured_seconds(load)));
  return std::max(1, static_cast<int>(std::ceil(measured_requests(load) / seconds / capacity)));
}

}  // namespace hive::simulator
