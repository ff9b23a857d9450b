#include "simulator/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/testing_support.h"

namespace hive::simulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kCommon =
    R"(192.0.2.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326)";

TEST(AccessLog, TimesAreRead) {
  EXPECT_EQ(parse_access_time(kCommon), 971'211'336);
  EXPECT_EQ(parse_access_time(kCommon + R"( "http://x/" "Mozilla/4.08 [en]")"), 971'211'336);
  EXPECT_EQ(parse_access_time("::1 - - [01/Jan/1970:09:00:00 +0900] \"GET / HTTP/1.1\" 200 -"), 0);
  for (const char* bad :
       {"", "GET /", "192.0.2.1 - - [10/Oct/2000:13:55:36] \"GET /\" 200 1",
        "192.0.2.1 - - [10/Okt/2000:13:55:36 -0700] \"GET /\" 200 1",
        "192.0.2.1 - - [40/Oct/2000:13:55:36 -0700] \"GET /\" 200 1",
        "192.0.2.1 - - \"GET /[10/Oct/2000:13:55:36 -0700]\" 200 1",
        "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700", "[10/Oct/2000:13:55:36 -0700]"})
    EXPECT_FALSE(parse_access_time(bad)) << bad;
}

std::string line(const std::string& time) {
  return "192.0.2.1 - - [10/Oct/2000:" + time + " +0000] \"GET / HTTP/1.1\" 200 5\n";
}

TEST(AccessLog, SecondsAreCountedInAnyOrder) {
  const TemporaryFile file(line("00:00:05") + line("00:00:07") + line("00:00:05") +
                           line("00:00:04") + "rubbish\n\n");
  const auto log = read_access_log(file.path());
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_THAT(log->load.requests, ElementsAre(1, 2, 0, 1));
  EXPECT_EQ(log->load.start, 971'136'004);
  EXPECT_EQ(log->lines, 5U);
  EXPECT_EQ(log->bad, 1U);
  ASSERT_EQ(log->first_bad.size(), 1U);
  EXPECT_EQ(log->first_bad[0].number, 5U);
}

TEST(AccessLog, WhatIsNoneIsRefusedWithALine) {
  const TemporaryFile none("a\nb\n");
  EXPECT_THAT(read_access_log(none.path()).error().message, HasSubstr("none of its 2 lines"));
  const TemporaryFile empty("");
  EXPECT_FALSE(read_access_log(empty.path()));
  const TemporaryFile mostly(line("00:00:05") + "a\nb\nc\n");
  EXPECT_THAT(read_access_log(mostly.path()).error().message,
              HasSubstr("3 of 4 lines are none of an access log in common or combined format "
                        "(line 2:"));
}

TEST(AccessLog, ATimeFarOffIsNamedByItsLine) {
  const TemporaryFile file(line("00:00:05") +
                           "192.0.2.1 - - [10/Oct/2020:00:00:05 +0000] \"GET / HTTP/1.1\" 200 5\n");
  EXPECT_THAT(read_access_log(file.path()).error().message, HasSubstr("trace.txt:2: its time is"));
}

TEST(AccessLog, BadLinesThatAreKeptAreBounded) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += line("00:00:05") + "bad\n";
  const TemporaryFile file(text);
  const auto log = read_access_log(file.path());
  ASSERT_TRUE(log);
  EXPECT_EQ(log->bad, 20U);
  EXPECT_EQ(log->first_bad.size(), kShownBad);
}

}  // namespace
}  // namespace hive::simulator
