#include "decide/autoscale/price.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "decide/forecast/archive.h"
#include "decide/forecast/load_model.h"

namespace hive::decide::autoscale {
namespace {

// Two replicas are always used, each of the next ten half as much as the one before.
std::vector<double> falling_uses() {
  std::vector<double> uses{1, 1};
  for (double use = 0.1; uses.size() < 12; use /= 2) uses.push_back(use);
  return uses;
}

// A load in replicas, and what a plan at the found price leaves of it.
struct PriceWorld {
  void pass(int seconds, double load) {
    std::array<double, forecast::kTick> loads{};
    loads.fill(load);
    for (int i = 0; i < seconds; i += forecast::kTick) {
      double missed = 0;
      for (const double one : loads) missed += std::max(0.0, one - plan.level());
      price.tick(loads.data(), forecast::kTick, missed, uses, 1);
      plan.update(uses, price.price(), 1, 100, forecast::kTick, 30);
    }
  }
  // Two replicas' load, of which this share is left unserved whatever is planned.
  void lack(int seconds, double share) {
    std::array<double, forecast::kTick> loads{};
    loads.fill(2);
    for (int i = 0; i < seconds; i += forecast::kTick)
      price.tick(loads.data(), forecast::kTick, 2 * forecast::kTick * share, uses, 1);
  }
  std::vector<double> uses = falling_uses();
  PriceFinder price{{.objective = 0.001, .min = 1, .max = 100, .start_cost_s = 30, .lead_s = 30}};
  LevelPlan plan;
};

constexpr int kDaySeconds = 86'400;

// All shadows missed most of it, the dearest a little less: that is no reason to go by the dearest,
// until it comes again.
TEST(PriceFinder, OneCatastropheLeavesThePriceAsItWas) {
  PriceWorld world;
  world.pass(5 * kDaySeconds, 2);
  const double before = world.price.price();
  world.pass(60, 100);
  world.pass(kDaySeconds, 2);
  EXPECT_LT(world.price.price(), 2 * before);
  world.pass(60, 100);
  world.pass(3600, 2);
  EXPECT_GT(world.price.price(), 10 * before);
}

TEST(PriceFinder, BurstsThatComeAgainAndAgainArePaidFor) {
  PriceWorld world;
  world.pass(5 * kDaySeconds, 2);
  EXPECT_LE(world.plan.level(), 4);
  for (int hour = 0; hour < 48; ++hour) {
    world.pass(120, 8);
    world.pass(3480, 2);
  }
  EXPECT_GE(world.plan.level(), 7);
}

TEST(PriceFinder, ARestartAtNightLeavesThePriceAsItWas) {
  PriceWorld world;
  world.lack(kDaySeconds / 2, 0.0009);
  forecast::StateWriter writer;
  writer(world.price);
  PriceWorld restarted;
  const std::string bytes = writer.take();
  forecast::StateReader reader(bytes);
  reader(restarted.price);
  ASSERT_TRUE(reader.ok());
  world.pass(forecast::kTick, 0.2);
  restarted.pass(forecast::kTick, 0.2);
  EXPECT_NEAR(restarted.price.price(), world.price.price(), 0.01 * world.price.price());
  EXPECT_GT(world.price.price(), 1.2 * PriceFinder::price_of(0)) << "else it cannot be told";
}

}  // namespace
}  // namespace hive::decide::autoscale
