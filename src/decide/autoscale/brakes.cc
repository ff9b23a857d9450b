#include "decide/autoscale/brakes.h"

#include <algorithm>
#include <cstdlib>

namespace hive::decide::autoscale {

// A wish holds until the next one; those before the window matter as far as
// they reach into it.
int Brakes::stabilised(const Policy& policy, std::int64_t second, int current, int wanted,
                       std::string& why) {
  if (wishes_.empty() || wishes_.back().second != wanted) wishes_.emplace_back(second, wanted);
  const auto longest =
      static_cast<std::int64_t>(std::max(policy.stabilise_in_s, policy.stabilise_out_s));
  while (wishes_.size() > 1 && wishes_[1].first <= second - longest) wishes_.pop_front();
  const auto window =
      static_cast<std::int64_t>(wanted < current ? policy.stabilise_in_s : policy.stabilise_out_s);
  int out = wanted;
  for (std::size_t i = 0; i < wishes_.size(); ++i) {
    const bool over = i + 1 < wishes_.size() && wishes_[i + 1].first <= second - window;
    if (over || window == 0) continue;
    out = wanted < current ? std::max(out, wishes_[i].second) : std::min(out, wishes_[i].second);
  }
  out = wanted < current ? std::min(out, current) : std::max(out, current);
  if (out != wanted) why = "stabilisation";
  return out;
}

int Brakes::moved(std::int64_t second, bool out) const {
  int sum = 0;
  for (const Change& change : changes_)
    if (change.second > second - kMinute && (change.by > 0) == out) sum += std::abs(change.by);
  return sum;
}

int Brakes::apply(const Policy& policy, std::int64_t second, int current, int wanted,
                  std::string& why) {
  while (!changes_.empty() && changes_.front().second <= second - kMinute) changes_.pop_front();
  int out = stabilised(policy, second, current, wanted, why);
  if (out == current) return out;
  const bool more = out > current;
  const double cooldown = more ? policy.cooldown_out_s : policy.cooldown_in_s;
  if (static_cast<double>(second - last_change_) < cooldown) {
    why = "cooldown";
    return current;
  }
  if (const auto limit = more ? policy.out_per_minute : policy.in_per_minute) {
    const int left = std::max(0, *limit - moved(second, more));
    const int bounded = more ? std::min(out, current + left) : std::max(out, current - left);
    if (bounded != out) why = "speed limit";
    out = bounded;
  }
  if (out == current) return out;
  changes_.push_back({second, out - current});
  last_change_ = second;
  return out;
}

}  // namespace hive::decide::autoscale
