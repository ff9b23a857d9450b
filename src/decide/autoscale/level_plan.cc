#include "decide/autoscale/level_plan.h"

#include <algorithm>

namespace hive::decide::autoscale {

int LevelPlan::raise(const std::vector<double>& uses, double price, int min, int max) {
  const double enough = 1 / price;
  const auto end =
      std::partition_point(uses.begin(), uses.end(), [&](double use) { return use > enough; });
  worth_ = std::clamp(static_cast<int>(end - uses.begin()), min, max);
  if (level_ > max) reset(max);
  if (worth_ > level_) {
    waste_.resize(static_cast<std::size_t>(worth_), 0.0);
    level_ = worth_;
  }
  return level_;
}

int LevelPlan::update(const std::vector<double>& uses, double price, int min, int max,
                      double seconds, double start_cost_s) {
  raise(uses, price, min, max);
  std::fill(waste_.begin(), waste_.begin() + worth_, 0.0);
  for (auto i = static_cast<std::size_t>(worth_); i < waste_.size(); ++i)
    waste_[i] += seconds * (1 - price * (i < uses.size() ? uses[i] : 0));
  while (level_ > worth_ && waste_.back() >= start_cost_s) {
    waste_.pop_back();
    --level_;
  }
  return level_;
}

}  // namespace hive::decide::autoscale
