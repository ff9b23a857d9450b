#include "simulator/optimum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "simulator/testing_support.h"

namespace hive::simulator {
namespace {

double unserved_at(double load, int nodes) { return std::max(0.0, load - nodes); }

// The least value of all plans, by trying each number of nodes in each second.
double brute_value(const std::vector<float>& loads, const OptimumOptions& options, double price,
                   int most, std::size_t t = 0, int before = -1) {
  if (t == loads.size()) return 0;
  double best = std::numeric_limits<double>::infinity();
  for (int nodes = options.min; nodes <= std::min(most, options.max); ++nodes) {
    const double start = before < 0 ? 0 : options.boot_s * std::max(0, nodes - before);
    const double here = start + nodes + price * unserved_at(static_cast<double>(loads[t]), nodes);
    best = std::min(best, here + brute_value(loads, options, price, most, t + 1, nodes));
  }
  return best;
}

// The least cost of all plans within the budget.
double brute_cost(const std::vector<float>& loads, const OptimumOptions& options, double budget,
                  int most, std::size_t t = 0, int before = -1) {
  if (budget < -1e-9) return std::numeric_limits<double>::infinity();
  if (t == loads.size()) return 0;
  double best = std::numeric_limits<double>::infinity();
  for (int nodes = options.min; nodes <= std::min(most, options.max); ++nodes) {
    const double start = before < 0 ? 0 : options.boot_s * std::max(0, nodes - before);
    best = std::min(best, start + nodes +
                              brute_cost(loads, options,
                                         budget - unserved_at(static_cast<double>(loads[t]), nodes),
                                         most, t + 1, nodes));
  }
  return best;
}

std::vector<float> random_loads(Random& random, std::size_t seconds, double most) {
  std::vector<float> loads;
  for (std::size_t t = 0; t < seconds; ++t)
    loads.push_back(static_cast<float>(std::floor(random.unit() * most * 4) / 4));
  return loads;
}

TEST(Optimum, PlansEqualBruteForce) {
  Random random(11);
  for (int round = 0; round < 60; ++round) {
    const auto loads = random_loads(random, 7, 3.5);
    const OptimumOptions options{.boot_s = static_cast<double>(random.below(4)),
                                 .min = static_cast<int>(random.below(2))};
    const double price = 0.5 + 6 * random.unit();
    const Plan plan = plan_at(load_of(loads), options, price);
    EXPECT_NEAR(plan.value(), brute_value(loads, options, price, 4), 1e-6) << "round " << round;
    EXPECT_NEAR(plan.value(), plan.cost + price * plan.unserved, 1e-6);
  }
}

TEST(Optimum, BoundIsBelowTheBestPlanAndNearIt) {
  Random random(12);
  for (int round = 0; round < 40; ++round) {
    const auto loads = random_loads(random, 7, 3.0);
    const OptimumOptions options{.boot_s = 2, .objective = 0.1};
    double demand = 0;
    for (const float one : loads) demand += static_cast<double>(one);
    const double best = brute_cost(loads, options, options.objective * demand, 3);
    const Optimum found = optimum(load_of(loads), options);
    EXPECT_LE(found.bound, best + 1e-6) << "round " << round;
    EXPECT_GE(found.cost, best - 1e-6) << "round " << round;
    EXPECT_LE(found.unserved, options.objective + 1e-9);
  }
}

// Long loads: what is feasible costs nearly what the dual says, and runs pass as single seconds do.
TEST(Optimum, BoundIsTightOnALongLoad) {
  Random random(13);
  std::vector<float> loads;
  double level = 5;
  for (int t = 0; t < 20'000; ++t) {
    level = std::clamp(level + random.unit() - 0.5, 0.0, 12.0);
    loads.push_back(static_cast<float>(level));
  }
  const Optimum found = optimum(load_of(loads), {.boot_s = 30});
  EXPECT_LE(found.bound, found.cost);
  EXPECT_GT(found.bound, 0.99 * found.cost);
  EXPECT_LE(found.unserved, 0.001);
}

TEST(Optimum, SupplyIsThePlansOwn) {
  Random random(14);
  for (int round = 0; round < 20; ++round) {
    const Load load = load_of(random_loads(random, 50, 10));
    const OptimumOptions options{.boot_s = 3};
    const Plan plan = plan_at(load, options, 4);
    const auto supply = plan_supply(load, options, 4);
    double cost = 0;
    double unserved = 0;
    for (std::size_t t = 0; t < supply.size(); ++t) {
      cost += supply[t];
      if (t > 0) cost += 3.0 * std::max(0, supply[t] - supply[t - 1]);
      unserved += unserved_at(static_cast<double>(load.requests[t]), supply[t]);
    }
    EXPECT_NEAR(cost + 4 * unserved, plan.value(), 1e-6) << "round " << round;
  }
}

TEST(Optimum, GapsCostNothing) {
  Load load = load_of({2, 2, 9, 9, 2, 2});
  load.gaps = {{2, 4}};
  const Optimum found = optimum(load, {.boot_s = 5});
  EXPECT_NEAR(found.cost, 8, 1e-6);
  EXPECT_EQ(plan_supply(load, {.boot_s = 5}, found.price),
            (std::vector<std::uint16_t>{2, 2, 0, 0, 2, 2}));
}

}  // namespace
}  // namespace hive::simulator
