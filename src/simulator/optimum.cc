#include "simulator/optimum.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hive::simulator {
namespace {

constexpr std::size_t kBlock = 8;  // levels worked on together
constexpr double kAllOn = 1e30;    // a load above every level of a block
constexpr int kBisections = 40;

// The two-state problem of kBlock levels at once. What counts is the difference between being off
// and being on; what each would have paid so far is carried along.
class LevelBlock {
 public:
  LevelBlock(int first_level, double price, double boot)
      : base_(first_level - 1), price_(price), boot_(boot) {}

  // `seconds` alike, with that load.
  void pass(double load, double seconds) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      const double use = std::clamp(load - base_ - static_cast<double>(i), 0.0, 1.0) * seconds;
      const double d = off_[i] - on_[i];
      const bool start = d < -boot_;  // off so far and now starting beats having been on
      const bool stop = d > 0;        // on so far and now stopping
      const double on = start ? off_[i] + boot_ : on_[i];
      const double on_cost = start ? off_cost_[i] + boot_ : on_cost_[i];
      const double off = stop ? on_[i] : off_[i];
      const double off_cost = stop ? on_cost_[i] : off_cost_[i];
      on_[i] = on + seconds;
      on_cost_[i] = on_cost + seconds;
      off_[i] = off + price_ * use;
      off_cost_[i] = off_cost;
    }
  }
  void add_to(Plan& plan, std::size_t levels) const {
    for (std::size_t i = 0; i < levels; ++i) {
      const bool ends_on = on_[i] < off_[i];
      const double value = ends_on ? on_[i] : off_[i];
      const double cost = ends_on ? on_cost_[i] : off_cost_[i];
      plan.value_ += value;
      plan.cost += cost;
      plan.unserved += (value - cost) / price_;
    }
  }

 private:
  double base_;
  double price_;
  double boot_;
  std::array<double, kBlock> on_{};
  std::array<double, kBlock> off_{};
  std::array<double, kBlock> on_cost_{};
  std::array<double, kBlock> off_cost_{};
};

// Seconds in which all levels of the block are needed alike (not at all, or wholly) pass as one.
void pass_all(const std::vector<float>& loads, LevelBlock& block, double lowest, double highest) {
  double run = 0;
  bool full = false;
  for (const float value : loads) {
    const auto load = static_cast<double>(value);
    const bool above = load >= highest;
    if (load <= lowest || above) {
      if (run > 0 && above != full) {
        block.pass(full ? kAllOn : 0, run);
        run = 0;
      }
      full = above;
      ++run;
      continue;
    }
    if (run > 0) block.pass(full ? kAllOn : 0, run);
    run = 0;
    block.pass(load, 1);
  }
  if (run > 0) block.pass(full ? kAllOn : 0, run);
}

std::vector<float> loads_of(const Load& load, double capacity) {
  std::vector<float> out;
  out.reserve(load.requests.size());
  each_measured(load, [&](std::size_t t) {
    out.push_back(static_cast<float>(static_cast<double>(load.requests[t]) / capacity));
  });
  return out;
}

double beyond(const std::vector<float>& loads, int max) {
  double sum = 0;
  for (const float load : loads) sum += std::max(0.0, static_cast<double>(load) - max);
  return sum;
}

int highest_level(const std::vector<float>& loads, const OptimumOptions& options) {
  double most = 0;
  for (const float load : loads) most = std::max(most, static_cast<double>(load));
  return static_cast<int>(std::min<double>(std::ceil(most), options.max));
}

Plan plan_of(const std::vector<float>& loads, const OptimumOptions& options, double price) {
  Plan plan;
  plan.cost = static_cast<double>(options.min) * static_cast<double>(loads.size());
  plan.unserved = beyond(loads, options.max);
  plan.value_ = plan.cost + price * plan.unserved;
  const int top = highest_level(loads, options);
  for (int level = options.min + 1; level <= top; level += static_cast<int>(kBlock)) {
    LevelBlock block(level, price, options.boot_s);
    pass_all(loads, block, level - 1, level - 1 + static_cast<double>(kBlock));
    block.add_to(plan, std::min(kBlock, static_cast<std::size_t>(top - level + 1)));
  }
  return plan;
}

// One level alone with its decisions kept: bit 0 of a second says that being on there was reached
// by a start, bit 1 that being off was reached by a stop.
void trace_level(const std::vector<float>& loads, int level, double price, double boot,
                 std::vector<std::uint8_t>& moves, std::vector<std::uint16_t>& nodes) {
  double on = 0;
  double off = 0;
  for (std::size_t t = 0; t < loads.size(); ++t) {
    const double use = std::clamp(static_cast<double>(loads[t]) - (level - 1), 0.0, 1.0);
    const bool start = off + boot < on;
    const bool stop = on < off;
    const double was_on = on;
    on = (start ? off + boot : on) + 1;
    off = (stop ? was_on : off) + price * use;
    moves[t] = static_cast<std::uint8_t>((start ? 1 : 0) | (stop ? 2 : 0));
  }
  bool is_on = on < off;
  for (std::size_t t = loads.size(); t-- > 0;) {
    if (is_on) ++nodes[t];
    if ((moves[t] & (is_on ? 1 : 2)) != 0) is_on = !is_on;
  }
}

}  // namespace

Plan plan_at(const Load& load, const OptimumOptions& options, double price) {
  return plan_of(loads_of(load, options.capacity), options, price);
}

Optimum optimum(const Load& load, const OptimumOptions& options) {
  const auto loads = loads_of(load, options.capacity);
  double demand = 0;
  for (const float one : loads) demand += static_cast<double>(one);
  const double budget = options.objective * demand;
  Optimum out;
  double low = 1;  // below it nothing is worth a node
  double high = 1e9;
  for (int i = 0; i < kBisections && high / low > 1.0005; ++i) {
    const double price = std::sqrt(low * high);
    const Plan plan = plan_of(loads, options, price);
    out.bound = std::max(out.bound, plan.value_ - price * budget);
    const bool feasible = plan.unserved <= budget;
    if (feasible || out.price == 0)
      out.cost = plan.cost, out.price = price,
      out.unserved = demand > 0 ? plan.unserved / demand : 0;
    (feasible ? high : low) = price;
    if (feasible && plan.unserved > 0.998 * budget) break;
  }
  return out;
}

std::vector<std::uint16_t> plan_supply(const Load& load, const OptimumOptions& options,
                                       double price) {
  const auto loads = loads_of(load, options.capacity);
  std::vector<std::uint16_t> nodes(loads.size(), static_cast<std::uint16_t>(options.min));
  std::vector<std::uint8_t> moves(loads.size());
  const int top = highest_level(loads, options);
  for (int level = options.min + 1; level <= top; ++level)
    trace_level(loads, level, price, options.boot_s, moves, nodes);
  std::vector<std::uint16_t> out(load.requests.size(), 0);
  std::size_t next = 0;
  each_measured(load, [&](std::size_t t) { out[t] = nodes[next++]; });
  return out;
}

}  // namespace hive::simulator
