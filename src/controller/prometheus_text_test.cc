#include "controller/prometheus_text.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace hive::controller {
namespace {

constexpr const char* kText = R"(# HELP jobs_waiting Jobs
# TYPE jobs_waiting gauge
jobs_waiting{queue="a",kind="x"} 3
jobs_waiting{queue="b",} 4.5 1700000000000
jobs_waiting_total 99
with_escapes{path="C:\\d\"}{\n"} 1e3
spaced  {  a = "1" , b = "2" }	 +7
exemplar_bucket{le="1"} 5 # {trace="z"} 0.5
odd NaN
# EOF
)";

Result<double> value(const std::string& name,
                     const std::map<std::string, std::string>& labels = {}) {
  return metric_in_text(kText, name, labels);
}

TEST(PrometheusText, AddsUpTheSeriesOfAName) {
  EXPECT_DOUBLE_EQ(value("jobs_waiting").value(), 7.5);
  EXPECT_DOUBLE_EQ(value("jobs_waiting", {{"queue", "a"}}).value(), 3);
  EXPECT_DOUBLE_EQ(value("with_escapes", {{"path", "C:\\d\"}{\n"}}).value(), 1'000);
  EXPECT_DOUBLE_EQ(value("spaced", {{"a", "1"}, {"b", "2"}}).value(), 7);
  EXPECT_DOUBLE_EQ(value("exemplar_bucket").value(), 5);
}

TEST(PrometheusText, SaysWhatIsNotThere) {
  EXPECT_EQ(value("jobs").error().code, Errc::kNotFound) << "no prefix counts";
  EXPECT_EQ(value("jobs_waiting", {{"queue", "c"}}).error().code, Errc::kNotFound);
  EXPECT_EQ(value("odd").error().code, Errc::kInvalidArgument);
}

TEST(PrometheusText, ATextThatIsBrokenAnywhereGivesNothing) {
  for (const char* text :
       {"", "a 1", "a 1\nb{c=\"d\" 2\n", "a 1\n<html>\n", "a 1\na one\n", "a 1\na{x=\"y} 2\n",
        "a 1\na{x=y} 2\n", "a\n", "a 1 x\n", "{\"a\": 1}\n"}) {
    const auto got = metric_in_text(text, "a", {});
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, Errc::kCorrupt) << text;
  }
}

// Each beginning of a text that does not end with a line is refused, so that no sum is too small.
TEST(PrometheusText, NoBeginningIsTakenForTheWhole) {
  const std::string text = kText;
  for (std::size_t length = 0; length < text.size(); ++length)
    if (length == 0 || text[length - 1] != '\n') {
      EXPECT_FALSE(metric_in_text(text.substr(0, length), "jobs_waiting", {})) << length;
    }
}

TEST(PrometheusText, GarbageIsNoMoreThanRefused) {
  const auto seed = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int run = 0; run < 2'000; ++run) {
    std::string text = kText;
    for (int i = 0; i < 3; ++i)
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    const auto got = metric_in_text(text, "jobs_waiting", {});
    EXPECT_TRUE(!got || text.back() == '\n');
  }
}

TEST(PrometheusAnswer, OneFigure) {
  EXPECT_DOUBLE_EQ(
      metric_in_answer(
          R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"12.5"]}]}})")
          .value(),
      12.5);
  EXPECT_DOUBLE_EQ(
      metric_in_answer(R"({"status":"success","data":{"resultType":"scalar","result":[1,"3"]}})")
          .value(),
      3);
}

TEST(PrometheusAnswer, WhatIsNone) {
  const auto code = [](const std::string& body) { return metric_in_answer(body).error().code; };
  const std::string vector = R"({"status":"success","data":{"resultType":"vector","result":)";
  EXPECT_EQ(code(vector + "[]}}"), Errc::kNotFound);
  EXPECT_EQ(code(vector + R"([{"value":[1,"1"]},{"value":[1,"2"]}]}})"), Errc::kInvalidArgument);
  EXPECT_EQ(code(vector + R"([{"value":[1,"NaN"]}]}})"), Errc::kInvalidArgument);
  EXPECT_EQ(code(vector + R"([{"value":[1,2]}]}})"), Errc::kCorrupt);
  EXPECT_EQ(code(vector + R"([{"value":[1,"x"]}]}})"), Errc::kCorrupt);
  EXPECT_EQ(code(vector + R"([7]}})"), Errc::kCorrupt);
  EXPECT_EQ(code(R"({"status":"error","error":"parse error"})"), Errc::kInvalidArgument);
  EXPECT_EQ(code(R"({"status":"success","data":{"resultType":"matrix","result":[]}})"),
            Errc::kInvalidArgument);
  EXPECT_FALSE(metric_in_answer("<html>"));
  EXPECT_FALSE(metric_in_answer(vector));
}

}  // namespace
}  // namespace hive::controller
