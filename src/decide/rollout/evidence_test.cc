#include "decide/rollout/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace hive::decide::rollout {
namespace {

using testing::HasSubstr;

TEST(Evidence, BoundsHoldWhatTheyShould) {
  EXPECT_DOUBLE_EQ(least_share(0, 0), 0);
  EXPECT_DOUBLE_EQ(most_share(0, 0), 1);
  EXPECT_NEAR(least_share(0, 100), 0, 1e-12);
  EXPECT_NEAR(most_share(0, 100), 0.0826, 1e-3);
  EXPECT_NEAR(least_share(10, 10), 0.526, 1e-3);
  EXPECT_NEAR(most_share(10, 10), 1, 1e-12);
}

TEST(Evidence, AFewFailuresAreNoProof) {
  EXPECT_FALSE(more_errors({1000, 0, 5}, {9, 9, 5}, {}));    // too few requests
  EXPECT_FALSE(more_errors({1000, 0, 5}, {20, 1, 5}, {}));   // may be chance
  EXPECT_FALSE(more_errors({3, 0, 5}, {1000, 900, 5}, {}));  // the old one is not known
}

TEST(Evidence, AVersionThatAnswersNothingButErrorsIsFoundSoon) {
  const auto why = more_errors({100, 0, 5}, {12, 12, 5}, {});
  ASSERT_TRUE(why);
  EXPECT_THAT(*why, HasSubstr("12 of its 12 requests failed (100.0%)"));
  EXPECT_THAT(*why, HasSubstr("0 of 100"));
}

TEST(Evidence, ASmallDifferenceIsFoundWithManyRequests) {
  EXPECT_TRUE(more_errors({20'000, 100, 5}, {4'000, 120, 5}, {}));  // 0.5% and 3%
}

TEST(Evidence, AVersionAsBadAsTheOldOneIsNotWorse) {
  EXPECT_FALSE(more_errors({500, 250, 5}, {500, 260, 5}, {}));
  EXPECT_FALSE(more_errors({5'000, 0, 5}, {5'000, 40, 5}, {}));  // within the allowed 1%
}

TEST(Evidence, LatencyNeedsAFactorADifferenceAndEnoughRequests) {
  EXPECT_TRUE(slower({200, 0, 20}, {200, 0, 500}, {}));
  EXPECT_FALSE(slower({200, 0, 1}, {200, 0, 50}, {}));     // 50 times, but nobody notices
  EXPECT_FALSE(slower({200, 0, 200}, {200, 0, 500}, {}));  // less than four times
  EXPECT_FALSE(slower({200, 0, 20}, {99, 0, 500}, {}));
  EXPECT_FALSE(slower({99, 0, 20}, {200, 0, 500}, {}));
  Tolerance off;
  off.max_latency_factor = 0;
  EXPECT_FALSE(slower({200, 0, 20}, {200, 0, 5'000}, off));
}

// Equal versions, looked at after each request: the false alarms that repeated looks cause.
TEST(Evidence, EqualVersionsAreHardlyEverCalledWorse) {
  const std::uint64_t seed = 20'261'128;
  SCOPED_TRACE(seed);
  Random random(seed);
  int alarms = 0;
  constexpr int kRuns = 1'000;
  for (int run = 0; run < kRuns; ++run) {
    const auto fails = random.below(300);  // of 1000
    VersionStats a;
    VersionStats b;
    bool alarm = false;
    for (int i = 0; i < 600 && !alarm; ++i) {
      VersionStats& hit = random.below(3) == 0 ? b : a;
      ++hit.requests;
      if (random.below(1'000) < fails) ++hit.errors;
      alarm = more_errors(a, b, {}).has_value();
    }
    if (alarm) ++alarms;
  }
  EXPECT_LE(alarms, kRuns / 100);
}

// And a much worse one is found.
TEST(Evidence, AMuchWorseVersionIsFoundWithinAFewHundredRequests) {
  const std::uint64_t seed = 7;
  SCOPED_TRACE(seed);
  Random random(seed);
  int found = 0;
  constexpr int kRuns = 200;
  for (int run = 0; run < kRuns; ++run) {
    VersionStats a;
    VersionStats b;
    for (int i = 0; i < 300; ++i) {
      const bool is_new = random.below(3) == 0;
      VersionStats& hit = is_new ? b : a;
      ++hit.requests;
      if (random.below(100) < (is_new ? 50U : 1U)) ++hit.errors;
    }
    if (more_errors(a, b, {})) ++found;
  }
  EXPECT_GE(found, kRuns * 95 / 100);
}

}  // namespace
}  // namespace hive::decide::rollout
