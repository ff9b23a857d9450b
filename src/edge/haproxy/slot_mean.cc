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

void TaskMeans::add(const std::string& slot, const std::string& task, const ServerRow& before,
                    const ServerRow& now) {
  Holder& holder = holders_[slot];
  if (holder.task != task) holder = {task, before};
  const SlotMean mean = mean_between(holder.begin, now);
  SlotMean& sum = sums_[task];
  sum.response_time_ms += mean.response_time_ms * mean.weight;
  sum.weight += mean.weight;
}

std::map<std::string, std::uint32_t> TaskMeans::take() {
  std::map<std::string, std::uint32_t> out;
  for (const auto& [task, sum] : sums_)
    if (sum.weight > 0)
      out[task] = static_cast<std::uint32_t>(std::lround(sum.response_time_ms / sum.weight));
  sums_.clear();
  return out;
}

}  // namespace hive::edge::haproxy
