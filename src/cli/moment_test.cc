#include "cli/moment.h"

#include <gtest/gtest.h>

namespace hive::cli {
namespace {

constexpr std::int64_t kNow = 1'795'537'693;  // 2026-11-24T16:28:13Z

WallTime now() { return WallTime(std::chrono::seconds(kNow)); }

std::int64_t ms_of(const std::string& text) {
  const auto moment = parse_moment(text, now());
  EXPECT_TRUE(moment) << text;
  if (!moment) return -1;
  return std::chrono::duration_cast<Milliseconds>(moment->time_since_epoch()).count();
}

TEST(Moment, AsDockerTakesThem) {
  EXPECT_EQ(ms_of("10m"), (kNow - 600) * 1'000);
  EXPECT_EQ(ms_of("1m30s"), (kNow - 90) * 1'000);
  EXPECT_EQ(ms_of("0"), 0);
  EXPECT_EQ(ms_of("1795537693"), kNow * 1'000);
  EXPECT_EQ(ms_of("1795537693.25"), kNow * 1'000 + 250);
  EXPECT_EQ(ms_of("2026-11-24T16:28:13Z"), kNow * 1'000);
  EXPECT_EQ(ms_of("2026-11-24T16:28:13.5Z"), kNow * 1'000 + 500);
  EXPECT_EQ(ms_of("2026-11-25T01:28:13+09:00"), kNow * 1'000);
  EXPECT_EQ(ms_of("2026-11-24T11:28:13-05:00"), kNow * 1'000);
}

TEST(Moment, WithoutAZoneItIsLocalTime) {
  std::tm parts{};
  parts.tm_year = 126;
  parts.tm_mon = 10;
  parts.tm_mday = 24;
  parts.tm_isdst = -1;
  EXPECT_EQ(ms_of("2026-11-24"), std::mktime(&parts) * 1'000);
  parts.tm_hour = 16;
  parts.tm_isdst = -1;
  EXPECT_EQ(ms_of("2026-11-24T16:00:00"), std::mktime(&parts) * 1'000);
}

TEST(Moment, AnythingElseIsRefusedWithTheForms) {
  for (const char* text :
       {"", "yesterday", "-10m", "2026-13-01", "2026-11-24T", "1.2.3", "2026-11-24T16:28:13X",
        "2026-11-24T16:28:13+99:00", "99999999999999", "2026-11-24 16:28:13", "T10:00:00"}) {
    const auto moment = parse_moment(text, now());
    ASSERT_FALSE(moment) << text;
    EXPECT_EQ(moment.error().code, Errc::kInvalidArgument);
    EXPECT_NE(moment.error().message.find("write 10m"), std::string::npos);
  }
}

TEST(Moment, InTheEnginesForm) {
  EXPECT_EQ(engine_moment(WallTime(std::chrono::milliseconds(1'795'537'690'500))),
            "1795537690.500000000");
}

}  // namespace
}  // namespace hive::cli
