#include <gtest/gtest.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"

namespace hive {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ParsesWhatGoParses) {
  EXPECT_EQ(*parse_duration("1m30s"), 90s);
  EXPECT_EQ(*parse_duration("1.5h"), 90min);
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("0"), 0ns);
  EXPECT_EQ(*parse_duration("-2s"), -2s);
}

TEST(Duration, RefusesWhatGoRefuses) {
  for (const auto* text : {"", "10", "s", "1x", ".s", "1.2.3s", "10 s", "99999999999h"})
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
}

TEST(Duration, PrintsAsGoDoes) {
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(3600s), "1h0m0s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(20ms), "20ms");
  EXPECT_EQ(format_duration(0s), "0s");
}

TEST(Bytes, AreBinaryMultiplesAsInDocker) {
  EXPECT_EQ(*parse_bytes("50M"), 50LL << 20);
  EXPECT_EQ(*parse_bytes("1gb"), 1LL << 30);
  EXPECT_EQ(*parse_bytes("2GiB"), 2LL << 30);
  EXPECT_EQ(*parse_bytes("1024"), 1024);
  EXPECT_FALSE(parse_bytes("12q").has_value());
  EXPECT_FALSE(parse_bytes("").has_value());
  EXPECT_FALSE(parse_bytes("-1").has_value());
}

TEST(DidYouMean, FindsTyposAndStaysSilentOtherwise) {
  EXPECT_EQ(did_you_mean("replcias", {"replicas", "ports"}), "replicas");
  EXPECT_EQ(did_you_mean("imgae", {"image", "init"}), "image");
  EXPECT_FALSE(did_you_mean("zebra", {"image", "init"}).has_value());
}

TEST(Backoff, IsBoundedInTimeAndCount) {
  Random random(7);
  Backoff backoff({.first = 100ms, .max = 1'000ms, .max_attempts = 6}, random);
  int waits = 0;
  while (const auto wait = backoff.next()) {
    EXPECT_GE(*wait, 50ms);
    EXPECT_LE(*wait, 1'000ms);
    ++waits;
  }
  EXPECT_EQ(waits, 5);
}

TEST(WallClock, TellsHowLongUntilItsNextMultiple) {
  ManualClock clock;
  const auto wait = [&] { return until_multiple(clock.wall_now(), Milliseconds(1'000)); };
  EXPECT_EQ(wait(), Milliseconds(1'000)) << "never 0: it shows one now";
  clock.advance(Milliseconds(1));
  EXPECT_EQ(wait(), Milliseconds(999));
  clock.advance(wait());
  EXPECT_EQ(unix_ms(clock.wall_now()) % 1'000, 0);
  clock.jump_wall(Milliseconds(-700));
  EXPECT_EQ(wait(), Milliseconds(700));
}

TEST(Json, PathsTolerateAbsence) {
  const auto value = *parse_json(R"({"Spec":{"Name":"web","Replicas":3,"Nothing":null}})", "test");
  EXPECT_EQ(json_string(value, "Spec.Name"), "web");
  EXPECT_EQ(json_int(value, "Spec.Replicas"), 3);
  EXPECT_EQ(json_path(value, "Spec.Nothing"), nullptr);
  EXPECT_EQ(json_string(value, "Spec.Name.Deeper", "none"), "none");
  EXPECT_EQ(parse_json("{", "test").error().code, Errc::kCorrupt);
}

// Two of the standard's own examples.
TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const std::string digest = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
  EXPECT_EQ(sha256_hex(text), digest);
  for (std::size_t at = 0; at <= text.size(); at += 7) {
    Sha256 parts;
    parts.add(std::string_view(text).substr(0, at));
    parts.add(std::string_view(text).substr(at));
    EXPECT_EQ(parts.hex(), digest) << at;
  }
}

TEST(Random, IsRepeatableAndInRange) {
  Random a(42);
  Random b(42);
  for (int i = 0; i < 1000; ++i) {
    const auto draw = a.below(10);
    EXPECT_LT(draw, 10U);
    EXPECT_EQ(draw, b.below(10));
  }
}

}  // namespace
}  // namespace hive
