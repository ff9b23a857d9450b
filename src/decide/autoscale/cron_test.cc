#include "decide/autoscale/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::decide::autoscale {
namespace {

// 2024-02-28 was a Wednesday, 2024 a leap year.
constexpr std::int64_t kWednesday = 1'709'078'400;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

bool matches(const char* text, std::int64_t local) {
  const auto cron = parse_cron(text);
  EXPECT_TRUE(cron) << text;
  return cron && cron->matches(local);
}

TEST(Cron, FieldsMatchTheClock) {
  EXPECT_TRUE(matches("* * * * *", kWednesday));
  EXPECT_TRUE(matches("0 8 * * mon-fri", kWednesday + 8 * kHour));
  EXPECT_TRUE(matches("0 8 * * mon-fri", kWednesday + 8 * kHour + 59));
  EXPECT_FALSE(matches("0 8 * * mon-fri", kWednesday + 8 * kHour + 60));
  EXPECT_FALSE(matches("0 8 * * Sat,Sun", kWednesday + 8 * kHour));
  EXPECT_TRUE(matches("*/15 9-17 * * *", kWednesday + 9 * kHour + 45 * 60));
  EXPECT_FALSE(matches("*/15 9-17 * * *", kWednesday + 9 * kHour + 50 * 60));
  EXPECT_TRUE(matches("0 0 29 feb *", kWednesday + kDay));
  EXPECT_TRUE(matches("0 0 1 3 *", kWednesday + 2 * kDay));
  EXPECT_TRUE(matches("0 0 * * 7", kWednesday + 4 * kDay));
  EXPECT_TRUE(matches("0 0 * * 0", kWednesday + 4 * kDay));
  EXPECT_TRUE(matches("0 0 1 1 4", 0));
  EXPECT_TRUE(matches("59 23 31 dec wed", -60));
}

TEST(Cron, OfTwoRestrictedDaysOneIsEnough) {
  EXPECT_TRUE(matches("0 0 28 * sun", kWednesday));
  EXPECT_TRUE(matches("0 0 1 * wed", kWednesday));
  EXPECT_FALSE(matches("0 0 1 * sun", kWednesday));
}

TEST(Cron, FaultsNameTheField) {
  const auto message = [](const char* text) {
    const auto cron = parse_cron(text);
    return cron ? std::string("read") : cron.error().message;
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(message("0 8 * *"), HasSubstr("it has 4 fields, and 5 are wanted"));
  EXPECT_THAT(message(""), HasSubstr("0 fields"));
  EXPECT_THAT(message("60 * * * *"), HasSubstr("the minute of a cron time is '60'"));
  EXPECT_THAT(message("* 24 * * *"), HasSubstr("the hour"));
  EXPECT_THAT(message("* * 0 * *"), HasSubstr("the day of the month"));
  EXPECT_THAT(message("* * * foo *"), HasSubstr("the month"));
  EXPECT_THAT(message("* * * * fri-mon"), HasSubstr("the day of the week"));
  EXPECT_THAT(message("*/0 * * * *"), HasSubstr("the minute"));
  EXPECT_THAT(message("5/5 * * * *"), HasSubstr("the minute"));
  EXPECT_THAT(message("1,,2 * * * *"), HasSubstr("the minute"));
  EXPECT_THAT(message("-1 * * * *"), HasSubstr("the minute"));
}

}  // namespace
}  // namespace hive::decide::autoscale
