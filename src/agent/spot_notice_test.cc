#include "agent/spot_notice.h"

#include <gtest/gtest.h>

#include <vector>

namespace hive::agent {
namespace {

const WallTime kNoon{std::chrono::seconds(1'769'860'800)};  // 2026-01-31T12:00:00Z

TEST(SpotNotice, LeavesWhatItSaysLessAMargin) {
  const auto left = [](const std::string& time, Milliseconds since) {
    return spot_time_left("{\"action\": \"terminate\", \"time\": \"" + time + "\"}", kNoon + since);
  };
  EXPECT_EQ(left("2026-01-31T12:02:00Z", Milliseconds(0)), Milliseconds(110'000));
  EXPECT_EQ(left("2026-01-31T12:02:00Z", Milliseconds(100'000)), Milliseconds(10'000));
  EXPECT_EQ(left("2026-01-31T12:02:00Z", Milliseconds(300'000)), Milliseconds(1'000));
  EXPECT_EQ(left("2026-02-01T12:00:00Z", Milliseconds(0)), Milliseconds(120'000));
  EXPECT_EQ(spot_time_left("garbage", kNoon), Milliseconds(110'000));
}

TEST(SpotNotice, IsToldOnceAndNoFaultIsANotice) {
  ManualClock clock;
  std::vector<Milliseconds> told;
  std::stop_source stop;
  int asked = 0;
  watch_spot(
      [&]() -> Result<std::string> {
        ++asked;
        return std::string("{}");
      },
      clock, [&](Milliseconds left) { told.push_back(left); }, stop.get_token());
  EXPECT_EQ(told.size(), 1U);
  EXPECT_EQ(asked, 1);
  watch_spot(
      [&]() -> Result<std::string> {
        stop.request_stop();
        return fail(Errc::kNotFound, "none");
      },
      clock, [&](Milliseconds left) { told.push_back(left); }, stop.get_token());
  EXPECT_EQ(told.size(), 1U);
}

}  // namespace
}  // namespace hive::agent
