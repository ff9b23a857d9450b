#include "simulator/draw.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace hive::simulator {
namespace {

constexpr int kDraws = 40'000;

struct Moments {
  double mean = 0;
  double variance = 0;
};

template <typename Draw>
Moments moments(Draw draw) {
  Random random(20'261'128);
  Moments out;
  for (int i = 0; i < kDraws; ++i) {
    const double value = draw(random);
    out.mean += value;
    out.variance += value * value;
  }
  out.mean /= kDraws;
  out.variance = out.variance / kDraws - out.mean * out.mean;
  return out;
}

TEST(Draw, MomentsAreThoseOfTheDistributions) {
  for (const double mean : {0.05, 0.8, 7.0, 59.0, 61.0, 900.0}) {
    const auto poisson = moments([&](Random& r) { return draw_poisson(r, mean); });
    EXPECT_NEAR(poisson.mean, mean, 5 * std::sqrt(mean / kDraws)) << mean;
    EXPECT_NEAR(poisson.variance / mean, 1, 0.12) << mean;
    const auto wide = moments([&](Random& r) { return draw_negative_binomial(r, mean, 1.5); });
    EXPECT_NEAR(wide.mean, mean, 5 * std::sqrt(1.5 * mean / kDraws)) << mean;
    EXPECT_NEAR(wide.variance / mean, 1.5, 0.2) << mean;
  }
  const auto gamma = moments([](Random& r) { return draw_gamma(r, 0.5, 2); });
  EXPECT_NEAR(gamma.mean, 1, 0.05);
  EXPECT_NEAR(gamma.variance, 2, 0.25);
  EXPECT_EQ(draw_negative_binomial(*std::make_unique<Random>(1), 0, 1.5), 0);
}

TEST(Draw, LogNormalHasItsMedianAndPercentile) {
  Random random(3);
  std::vector<double> values;
  values.reserve(kDraws);
  for (int i = 0; i < kDraws; ++i) values.push_back(draw_log_normal(random, 56, 158));
  std::sort(values.begin(), values.end());
  EXPECT_NEAR(values[kDraws / 2], 56, 2);
  EXPECT_NEAR(values[kDraws * 9 / 10], 158, 6);
}

TEST(Draw, OneSeedOneSeries) {
  Random a(5);
  Random b(5);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(draw_negative_binomial(a, 10, 1.28), draw_negative_binomial(b, 10, 1.28));
}

}  // namespace
}  // namespace hive::simulator
