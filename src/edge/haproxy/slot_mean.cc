#include "edge/haproxy/slot_mean.h"

#include <algorithm>
#include <cmath>

namespace hive::edge::haproxy {
namespace {

double sum_of(const ServerRow& row) {
  return row.response_time_ms * std::min(static_cast<double>(row.sessions), kSlotSamples);
}

}  // namespace

SlotMean mean_between(const ServerRow& begin, const ServerRow& end) {
  // Counters begin anew with a reload.
  const ServerRow from = end.sessions >= begin.sessions ? begin : ServerRow{};
  const auto added = static_cast<double>(end.sessions - from.sessions);
  const double plain =
      std::min(added, std::max(0.0, kSlotSamples - static_cast<double>(from.sessions)));
  const double kept = std::pow(1 - 1 / kSlotSamples, added - plain);  // of what was there before
  const double weight = plain * kept + kSlotSamples * (1 - kept);
  if (weight <= 0) return {};
  return {std::max(0.0, (sum_of(end) - sum_of(from) * kept) / weight), weight};
}

}  // namespace hive::edge::haproxy
