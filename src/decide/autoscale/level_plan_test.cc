#include "decide/autoscale/level_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "decide/autoscale/uses.h"

namespace hive::decide::autoscale {
namespace {

constexpr double kBoot = 30;

int update(LevelPlan& plan, const std::vector<double>& uses, double price = 10) {
  return plan.update(uses, price, 1, 100, 3, kBoot);
}

TEST(LevelPlan, OrdersWhatIsWorthItsPrice) {
  LevelPlan plan;
  EXPECT_EQ(update(plan, {1, 0.9, 0.11, 0.09, 0.01}), 3);
  EXPECT_EQ(plan.worth(), 3);
}

TEST(LevelPlan, RaisesAtOnceAndGivesNothingBack) {
  LevelPlan plan;
  update(plan, {1, 1});
  EXPECT_EQ(plan.raise({1, 1, 1}, 10, 1, 100), 3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(plan.raise({1}, 10, 1, 100), 3);
  for (int tick = 0; tick < 9; ++tick) EXPECT_EQ(update(plan, {1}), 3) << tick;
  EXPECT_EQ(update(plan, {1}), 1);
}

TEST(LevelPlan, GivesBackOnceAStartsCostIsWasted) {
  LevelPlan plan;
  update(plan, {1, 1, 1});
  for (int tick = 0; tick < 9; ++tick) EXPECT_EQ(update(plan, {1}), 3) << tick;
  EXPECT_EQ(update(plan, {1}), 1);
}

TEST(LevelPlan, HalfWorthIsKeptTwiceAsLong) {
  LevelPlan plan;
  update(plan, {1, 1});
  for (int tick = 0; tick < 19; ++tick) EXPECT_EQ(update(plan, {1, 0.05}), 2) << tick;
  EXPECT_EQ(update(plan, {1, 0.05}), 1);
}

TEST(LevelPlan, NeedThatComesBackForgetsTheWaste) {
  LevelPlan plan;
  update(plan, {1, 1});
  for (int tick = 0; tick < 9; ++tick) update(plan, {1});
  update(plan, {1, 1});
  for (int tick = 0; tick < 9; ++tick) EXPECT_EQ(update(plan, {1}), 2);
}

TEST(LevelPlan, BoundsHold) {
  LevelPlan plan;
  const std::vector<double> many(50, 1.0);
  EXPECT_EQ(plan.update(many, 10, 2, 7, 3, kBoot), 7);
  EXPECT_EQ(plan.update(many, 10, 2, 5, 3, kBoot), 5);
  LevelPlan low;
  EXPECT_EQ(low.update({}, 10, 2, 7, 3, kBoot), 2);
}

// Against sums over the distribution, written down directly.
TEST(Uses, AreExpectationsOverTheSurprises) {
  forecast::Outlook outlook;
  outlook.mean = 4.2;
  outlook.spread = 1.3;
  double sum = 0;
  for (std::size_t i = 0; i < forecast::kBins; ++i) {
    outlook.surprises.share[i] = static_cast<float>(1 + (i * 7) % 13);
    sum += static_cast<double>(outlook.surprises.share[i]);
  }
  for (float& one : outlook.surprises.share) one /= static_cast<float>(sum);
  std::vector<double> uses;
  expected_uses(outlook, 2, 1e-4, 50, uses);
  ASSERT_GT(uses.size(), 20U);
  for (std::size_t k = 0; k < uses.size(); ++k) {
    double expected = 0;
    for (std::size_t i = 0; i < forecast::kBins; ++i) {
      const double load = 2 * (4.2 + 1.3 * forecast::SurpriseTables::centres()[i]);
      expected += static_cast<double>(outlook.surprises.share[i]) *
                  std::clamp(load - static_cast<double>(k), 0.0, 1.0);
    }
    EXPECT_NEAR(uses[k], expected, 1e-5) << k;
  }
}

}  // namespace
}  // namespace hive::decide::autoscale
