#include "decide/autoscale/lead_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace hive::decide::autoscale {
namespace {

TEST(LeadTime, IsWhatMostNeeded) {
  LeadTime lead;
  EXPECT_DOUBLE_EQ(lead.seconds(), LeadTime::kUnknown);
  lead.saw(12);
  EXPECT_DOUBLE_EQ(lead.seconds(), 12);
  for (const double one : {4.0, 8.0, 300.0}) lead.saw(one);
  EXPECT_DOUBLE_EQ(lead.seconds(), 12) << "one slow start does not decide";
}

TEST(LeadTime, StaysWithinItsBoundsAndItsMemory) {
  const std::uint64_t seed = 20'261'129;
  SCOPED_TRACE(seed);
  Random random(seed);
  LeadTime lead;
  for (int i = 0; i < 2'000; ++i) {
    const double seconds = static_cast<double>(random.below(5'000)) - 100;
    lead.saw(random.below(50) == 0 ? std::nan("") : seconds);
    ASSERT_GE(lead.seconds(), LeadTime::kLeast);
    ASSERT_LE(lead.seconds(), LeadTime::kMost);
    const auto kept = lead.kept();
    ASSERT_LE(kept.size(), LeadTime::kRemembered);
    if (kept.empty()) continue;
    const auto met =
        std::count_if(kept.begin(), kept.end(), [&](double one) { return one <= lead.seconds(); });
    ASSERT_GE(4 * met, 3 * static_cast<std::int64_t>(kept.size()));
  }
}

}  // namespace
}  // namespace hive::decide::autoscale
