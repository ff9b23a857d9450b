// What every cloud promises whose balancer measures itself (cloud.h, BalancerFigure): one test for
// all of them.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "cloud/cloud.h"

namespace hive::cloud::testing {

// A balancer that has told of nothing yet.
struct FiguresUnderTest {
  Cloud& cloud;
  // From now on that was measured in a minute that is told whole; returns its end.
  std::function<std::int64_t(BalancerFigure figure, double value)> measure;
};

inline constexpr BalancerFigure kAllFigures[] = {
    BalancerFigure::kRequests, BalancerFigure::kLatency, BalancerFigure::kSurgeQueue,
    BalancerFigure::kSpillover};

inline void keeps_the_figures_contract(const FiguresUnderTest& at) {
  for (const auto figure : kAllFigures) {
    const auto none = at.cloud.balancer_figures({figure});
    ASSERT_TRUE(none);
    ASSERT_EQ(none->size(), 1U) << "what is asked for is there, and nothing else";
    EXPECT_EQ(none->at(figure).value, std::nullopt) << "nothing was measured: it is not 0";
    EXPECT_NE(none->at(figure).trouble, "");
    EXPECT_FALSE(none->at(figure).whole);
  }
  double value = 12;
  for (const auto figure : kAllFigures) {
    const auto until = at.measure(figure, value);
    const auto told = at.cloud.balancer_figures({figure});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->at(figure).value, value);
    EXPECT_EQ(told->at(figure).until_unix_ms, until);
    EXPECT_TRUE(told->at(figure).whole);
    EXPECT_EQ(told->at(figure).trouble, "");
    value += 12;
  }
  EXPECT_EQ(at.cloud.balancer_figures({})->size(), 0U);
  EXPECT_EQ(
      at.cloud.balancer_figures({BalancerFigure::kRequests, BalancerFigure::kLatency})->size(), 2U);
}

}  // namespace hive::cloud::testing
