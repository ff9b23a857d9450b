#include "simulator/service_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "simulator/hive_policy.h"
#include "simulator/testing_support.h"
#include "simulator/world.h"

namespace hive::simulator {
namespace {

using decide::autoscale::parse_cron;

constexpr WorldOptions kWorld{.capacity = 10, .boot_s = 30, .max = 50, .keep_supply = true};

decide::autoscale::Policy policy_of(int min, int max) {
  decide::autoscale::Policy out{.min = min, .max = max};
  out.target.requests_per_replica = 10;
  return out;
}

Load steps(std::initializer_list<float> levels) {
  std::vector<float> requests;
  for (const float level : levels) requests.insert(requests.end(), 1800, level);
  return load_of(requests);
}

int most(const Outcome& outcome, std::size_t begin, std::size_t end) {
  return *std::max_element(outcome.supply.begin() + static_cast<std::ptrdiff_t>(begin),
                           outcome.supply.begin() + static_cast<std::ptrdiff_t>(end));
}

TEST(ServicePolicy, DecidesAsTheSizerWhereNothingElseIsAsked) {
  const Load load = steps({20, 80, 80, 30});
  ServicePolicy service(policy_of(1, 50), 30, nullptr);
  HivePolicy bare({.lead_s = 30, .start_cost_s = 30, .max = 50}, 10);
  const Outcome a = simulate(load, kWorld, service);
  const Outcome b = simulate(load, kWorld, bare);
  EXPECT_NEAR(a.node_seconds, b.node_seconds, 0.02 * b.node_seconds);
  EXPECT_NEAR(a.unserved, b.unserved, 0.02 * b.unserved + 1);
}

// Nine replicas from 01:30 for half an hour in a zone an hour east: 00:30 UTC.
TEST(ServicePolicy, KeepsSchedulesInTheirZone) {
  auto policy = policy_of(1, 50);
  policy.schedules.push_back(
      {.cron = *parse_cron("30 1 * * *"), .zone = "X", .duration_s = 1800, .min = 9});
  ServicePolicy service(policy, 30, [](std::int64_t) { return std::vector<int>{3600}; });
  const Outcome outcome = simulate(steps({10, 10, 10, 10}), kWorld, service);
  EXPECT_LT(most(outcome, 300, 1700), 9);
  // Bounds are looked at each minute, and a boot takes half of one.
  EXPECT_GE(*std::min_element(outcome.supply.begin() + 1860, outcome.supply.begin() + 3590), 9);
  EXPECT_LT(outcome.supply.back(), 9);
}

TEST(ServicePolicy, KeepsSpeedLimits) {
  auto policy = policy_of(1, 50);
  policy.out_per_minute = 2;
  ServicePolicy service(policy, 30, nullptr);
  const Outcome outcome = simulate(steps({10, 200}), kWorld, service);
  const int before = outcome.supply[1790];
  EXPECT_LE(outcome.supply[1800 + 330], before + 2 * 6);
  EXPECT_GE(outcome.supply[3590], 20);
}

TEST(ServicePolicy, WidestBoundsHoldThoseOfSchedules) {
  auto policy = policy_of(3, 10);
  policy.schedules.push_back({.min = 1});
  policy.schedules.push_back({.min = 20, .max = 15});
  const auto bounds = widest_bounds(policy);
  EXPECT_EQ(bounds.min, 1);
  EXPECT_EQ(bounds.max, 20);
}

}  // namespace
}  // namespace hive::simulator
