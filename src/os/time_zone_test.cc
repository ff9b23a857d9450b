#include "os/time_zone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "base/random.h"
#include "os/file.h"

namespace hive::os {
namespace {

constexpr std::int64_t k2026 = 1'767'225'600;
constexpr std::int64_t kYear = 31'557'600;

int by_glibc(std::int64_t unix_s) {
  const std::time_t at = unix_s;
  std::tm parts{};
  localtime_r(&at, &parts);
  return static_cast<int>(parts.tm_gmtoff);
}

class ByGlibc : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* before = std::getenv("TZ")) before_ = before;
  }
  void TearDown() override {
    if (before_.empty())
      ::unsetenv("TZ");
    else
      ::setenv("TZ", before_.c_str(), 1);
    ::tzset();
  }
  static void use(const std::string& zone) {
    ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
  }
  std::string before_;
};

// glibc reads the same files with code of its own.
TEST_F(ByGlibc, FilesMeanTheSame) {
  const std::uint64_t seed = 4;
  SCOPED_TRACE(seed);
  Random random(seed);
  int files = 0;
  for (const char* name : {"Europe/Berlin", "Asia/Seoul", "America/New_York", "Australia/Lord_Howe",
                           "America/Santiago", "Africa/Casablanca", "Asia/Kolkata", "UTC",
                           "Europe/Dublin", "America/Nuuk", "Africa/Cairo"}) {
    const auto zone = TimeZone::load(name);
    if (!zone && zone.error().code == Errc::kNotFound) continue;  // no tzdata on this machine
    ASSERT_TRUE(zone) << name << ": " << zone.error().message;
    ++files;
    use(std::string(":") + name);
    for (int i = 0; i < 4'000; ++i) {
      const auto at = static_cast<std::int64_t>(random.below(100 * kYear)) - 40 * kYear + k2026;
      ASSERT_EQ(zone->offset_at(at), by_glibc(at)) << name << " at " << at;
    }
  }
  RecordProperty("files", files);
}

// And glibc knows POSIX's rules without any file.
TEST_F(ByGlibc, RulesMeanTheSame) {
  const std::uint64_t seed = 5;
  SCOPED_TRACE(seed);
  Random random(seed);
  for (const char* text :
       {"CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "KST-9",
        "IST-1GMT0,M10.5.0,M3.5.0/1", "<+00>0<+02>-2,J60/2:30,J300", "ABC-3DEF,59,299/23:59:59"}) {
    const auto rule = ZoneRule::parse(text);
    ASSERT_TRUE(rule) << text;
    use(text);
    for (int i = 0; i < 4'000; ++i) {
      const auto at = static_cast<std::int64_t>(random.below(60 * kYear)) + k2026 - 20 * kYear;
      ASSERT_EQ(rule->offset_at(at), by_glibc(at)) << text << " at " << at;
    }
  }
}

TEST(TimeZone, WhatIsNoRuleIsRefused) {
  for (const char* text :
       {"", "CET", "CE-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M1.1.0",
        "CET-1CEST,M3.5.0,M10.5.0/", "CET-1CEST,M3.5.0,M10.5.0/3 ", "<+01-1", "CET-999"})
    EXPECT_FALSE(ZoneRule::parse(text)) << text;
}

TEST(TimeZone, BrokenFilesAreRefused) {
  EXPECT_EQ(TimeZone::parse("").error().code, Errc::kCorrupt);
  EXPECT_EQ(TimeZone::load("../passwd").error().code, Errc::kInvalidArgument);
  EXPECT_EQ(TimeZone::load("No/Where").error().code, Errc::kNotFound);
  const auto whole = read_file("/usr/share/zoneinfo/Europe/Berlin");
  if (!whole) GTEST_SKIP() << "no tzdata on this machine";
  for (std::size_t length = 0; length < whole->size(); ++length)
    (void)TimeZone::parse(std::string_view(*whole).substr(0, length));
  const std::uint64_t seed = 6;
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes = *whole;
    for (int change = 0; change < 4; ++change)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    if (const auto zone = TimeZone::parse(bytes)) (void)zone->offset_at(k2026);
  }
}

TEST(TimeZone, NamesAreThoseThatCanBeLoaded) {
  EXPECT_TRUE(time_zone_names("/nowhere").empty());
  const auto names = time_zone_names();
  if (names.empty()) GTEST_SKIP() << "no tzdata on this machine";
  for (const auto& name : names) EXPECT_TRUE(TimeZone::load(name)) << name;
  for (const char* name : {"Asia/Seoul", "America/Argentina/Salta", "Etc/GMT+5", "UTC"})
    EXPECT_TRUE(std::binary_search(names.begin(), names.end(), name)) << name;
  EXPECT_FALSE(std::binary_search(names.begin(), names.end(), "posix/Asia/Seoul"));
}

}  // namespace
}  // namespace hive::os
