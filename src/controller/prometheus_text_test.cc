#include "controller/prometheus_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/random.h"

namespace hive::controller {
namespace {

using ::testing::HasSubstr;

constexpr const char* kText = R"(# HELP jobs_waiting Jobs
# TYPE jobs_waiting gauge
jobs_waiting{queue="a",kind="x"} 3
jobs_waiting{queue="b",} 4.5 1700000000000
jobs_waiting_total 99
with_escapes{path="C:\\d\"}{\n"} 1e3
spaced  {  a = "1" , b = "2" }	 +7

  # a comment
# TYPE asked histogram
asked_bucket{le="0.5"} 5
asked_bucket{le="+Inf"} 6
asked_sum 1.25
asked_count 6
# TYPE odd untyped
odd NaN
below -1
)";

Result<Figure> figure(const std::string& name,
                      const std::map<std::string, std::string>& labels = {},
                      std::string_view text = kText) {
  return figure_in_text(text, TextFormat::kPrometheus, name, labels);
}
double value(const std::string& name, const std::map<std::string, std::string>& labels = {}) {
  const auto got = figure(name, labels);
  EXPECT_TRUE(got) << got.error().message;
  return got ? got->value : -1;
}
Error refusal(const std::string& text, TextFormat format = TextFormat::kPrometheus) {
  const auto got = figure_in_text(text, format, "a", {});
  EXPECT_FALSE(got) << text;
  return got ? Error{Errc::kUnavailable, "it was taken", {}} : got.error();
}

TEST(PrometheusText, AddsUpTheSeriesOfAName) {
  EXPECT_DOUBLE_EQ(value("jobs_waiting"), 7.5);
  EXPECT_DOUBLE_EQ(value("jobs_waiting", {{"queue", "a"}}), 3);
  EXPECT_DOUBLE_EQ(value("with_escapes", {{"path", "C:\\d\"}{\n"}}), 1'000);
  EXPECT_DOUBLE_EQ(value("spaced", {{"a", "1"}, {"b", "2"}}), 7);
  EXPECT_EQ(figure("jobs_waiting")->unix_ms, 1'700'000'000'000);
  EXPECT_EQ(figure("spaced")->unix_ms, std::nullopt);
}

TEST(PrometheusText, KnowsWhatOnlyGrows) {
  for (const char* name : {"jobs_waiting_total", "asked_sum", "asked_count", "asked_bucket"})
    EXPECT_TRUE(figure(name)->counter) << name;
  for (const char* name : {"jobs_waiting", "spaced"}) EXPECT_FALSE(figure(name)->counter) << name;
  EXPECT_FALSE(figure("a_total", {}, "# TYPE a_total gauge\na_total 1\n")->counter);
  EXPECT_TRUE(figure("a", {}, "# TYPE a counter\na 1\n")->counter);
  EXPECT_FALSE(figure("a_sum", {}, "a_sum 1\n")->counter) << "no histogram's";
  EXPECT_TRUE(figure_in_text("# TYPE a counter\na_total 1\n# EOF\n", TextFormat::kOpenMetrics,
                             "a_total", {})
                  ->counter);
}

TEST(PrometheusText, SaysWhatIsNotThere) {
  EXPECT_EQ(figure("jobs").error().code, Errc::kNotFound) << "no prefix counts";
  const auto labelled = figure("jobs_waiting", {{"queue", "c"}});
  EXPECT_EQ(labelled.error().code, Errc::kNotFound);
  EXPECT_THAT(labelled.error().message, HasSubstr("with these labels"));
  EXPECT_EQ(figure("odd").error().code, Errc::kInvalidArgument);
  EXPECT_THAT(figure("below").error().message, HasSubstr("negative"));
  const auto whole = figure("asked");
  EXPECT_EQ(whole.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(whole.error().message, HasSubstr("a histogram: asked_count or asked_sum"));
}

TEST(PrometheusText, ATextThatIsBrokenAnywhereGivesNothing) {
  const std::pair<const char*, const char*> broken[] = {
      {"", "cut off"},
      {"a 1", "cut off"},
      {"a 1\nb{c=\"d\" 2\n", "line 2: labels that do not end"},
      {"a 1\n<html>\n", "line 2: no metric's name"},
      {"a 1\n\na one\n", "line 3: no number"},
      {"a 1\na{x=\"y} 2\n", "does not end"},
      {"a 1\na{x=y} 2\n", "without quotes"},
      {"a 1\na{x=\"\\d\"} 2\n", "a backslash before"},
      {"a 1\na{x=\"1\",x=\"2\"} 2\n", "the label x twice"},
      {"a 1\na{1x=\"1\"} 2\n", "no label"},
      {"a\n", "no number"},
      {"a 1 x\n", "a time that is no whole number"},
      {"a 1 1.5\n", "a time that is no whole number"},
      {"a 1 1 1\n", "something follows"},
      {"a 1 # {trace=\"z\"} 0.5\n", "something follows"},
      {"a 1\r\n", "no number"},
      {"a +-1\n", "no number"},
      {"a 1e999\n", "no number"},
      {"a-b 1\n", "that no metric's name has"},
      {"1a 1\n", "no metric's name"},
      {"{\"a\": 1}\n", "no metric's name"},
      {"# TYPE a speed\na 1\n", "TYPE line"},
      {"# TYPE a\na 1\n", "TYPE line"},
      {"# TYPE a gauge\n# TYPE a counter\na 1\n", "a second TYPE line of a"},
      {"a{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 1\n", "there twice"}};
  for (const auto& [text, why] : broken) {
    const auto error = refusal(text);
    EXPECT_EQ(error.code, Errc::kCorrupt) << text;
    EXPECT_THAT(error.message, HasSubstr(why)) << text;
  }
  EXPECT_THAT(refusal("a{x=\"" + std::string(70'000, 'x') + "\"} 1\n").message,
              HasSubstr("longer than 64 KiB"));
}

TEST(PrometheusText, OpenMetricsHasSecondsExemplarsAndAnEnd) {
  EXPECT_EQ(text_format("application/openmetrics-text; version=1.0.0"), TextFormat::kOpenMetrics);
  EXPECT_EQ(text_format("text/plain; version=0.0.4"), TextFormat::kPrometheus);
  const auto got = figure_in_text("a 5 1700000000.25 # {trace=\"z\"} 0.5\n# EOF\n",
                                  TextFormat::kOpenMetrics, "a", {});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->value, 5);
  EXPECT_EQ(got->unix_ms, 1'700'000'000'250);
  EXPECT_THAT(refusal("a 5\n", TextFormat::kOpenMetrics).message, HasSubstr("# EOF"));
  EXPECT_THAT(refusal("a 5\n# EOF\na 6\n", TextFormat::kOpenMetrics).message,
              HasSubstr("goes on after"));
  EXPECT_THAT(refusal("a 5 1e300\n# EOF\n", TextFormat::kOpenMetrics).message,
              HasSubstr("no number of seconds"));
}

// Each beginning of a text that does not end with a line is refused, so that no sum is too small.
TEST(PrometheusText, NoBeginningIsTakenForTheWhole) {
  const std::string text = kText;
  for (std::size_t length = 0; length < text.size(); ++length)
    if (length == 0 || text[length - 1] != '\n') {
      EXPECT_FALSE(figure("jobs_waiting", {}, text.substr(0, length))) << length;
    }
}

// --- whatever it is given

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string printed(const Sample& sample) {
  std::string out = sample.name;
  if (!sample.labels.empty()) out += '{';
  for (const auto& [key, value] : sample.labels) {
    out += key + "=\"";
    for (const char c : value) {
      if (c == '\\' || c == '"') out += '\\';
      if (c == '\n')
        out += "\\n";
      else
        out += c;
    }
    out += "\",";
  }
  if (!sample.labels.empty()) out += '}';
  out += " " + number(sample.value);
  if (sample.unix_ms) out += " " + std::to_string(*sample.unix_ms);
  return out + "\n";
}

std::optional<std::vector<Sample>> samples(std::string_view text, TextFormat format) {
  std::vector<Sample> out;
  if (!read_exposition(text, format, [&](const Sample& sample) { out.push_back(sample); }))
    return std::nullopt;
  return out;
}

bool same(const Sample& a, const Sample& b) {
  const bool value = a.value == b.value || (std::isnan(a.value) && std::isnan(b.value));
  return value && a.name == b.name && a.labels == b.labels && a.unix_ms == b.unix_ms;
}

std::string whole(const std::vector<Sample>& list) {
  std::string text;
  for (const auto& sample : list) text += printed(sample);
  return text.empty() ? "\n" : text;
}

void expect_round_trip(const std::string& text, TextFormat format) {
  const auto read = samples(text, format);
  if (!read) return;
  const auto again = samples(whole(*read), TextFormat::kPrometheus);
  ASSERT_TRUE(again) << text;
  ASSERT_EQ(again->size(), read->size()) << text;
  for (std::size_t i = 0; i < read->size(); ++i) {
    EXPECT_TRUE(same((*again)[i], (*read)[i])) << text;
  }
}

Random seeded() {
  const auto seed = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  return Random(seed);
}

TEST(PrometheusText, BytesOfAnyKindAreReadOrRefused) {
  Random random = seeded();
  // Bytes that mean something, more often than others.
  const std::string some = "a_:9{}=\",\\n #+-.eE \t\n\nTYPE";
  for (int run = 0; run < 20'000; ++run) {
    std::string text;
    for (auto left = random.below(60); left > 0; --left)
      text += random.below(8) == 0 ? static_cast<char>(random.below(256))
                                   : some[random.below(some.size())];
    text += random.below(4) == 0 ? "" : "\n";
    expect_round_trip(text, TextFormat::kPrometheus);
    expect_round_trip(text + "# EOF\n", TextFormat::kOpenMetrics);
  }
}

TEST(PrometheusText, ATextWithAFewOtherBytesIsReadOrRefused) {
  Random random = seeded();
  int read = 0;
  for (int run = 0; run < 4'000; ++run) {
    std::string text = kText;
    for (auto left = random.below(4); left > 0; --left)
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    read += samples(text, TextFormat::kPrometheus) ? 1 : 0;
    expect_round_trip(text, TextFormat::kPrometheus);
  }
  EXPECT_GT(read, 100) << "the test reads something at all";
}

TEST(PrometheusText, WhatIsPrintedIsRead) {
  Random random = seeded();
  for (int run = 0; run < 2'000; ++run) {
    std::vector<Sample> all(1 + random.below(5));
    for (auto& sample : all) {
      sample.name = "m:" + std::to_string(random.below(100));
      for (auto i = random.below(4); i > 0; --i) {
        std::string value;
        for (auto left = random.below(8); left > 0; --left)
          value += static_cast<char>(random.below(256));
        sample.labels.emplace_back("l" + std::to_string(i), value);
      }
      sample.value = std::ldexp(random.unit() - 0.5, static_cast<int>(random.below(200)) - 100);
      if (random.below(2) == 0)
        sample.unix_ms = static_cast<std::int64_t>(random.below(1ULL << 60));
    }
    const auto read = samples(whole(all), TextFormat::kPrometheus);
    ASSERT_TRUE(read) << whole(all);
    EXPECT_EQ(*read, all);
  }
}

// --- the answer of a query

TEST(PrometheusAnswer, OneFigure) {
  EXPECT_DOUBLE_EQ(
      figure_in_answer(
          R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"12.5"]}]}})")
          .value(),
      12.5);
  EXPECT_DOUBLE_EQ(
      figure_in_answer(R"({"status":"success","data":{"resultType":"scalar","result":[1,"3"]}})")
          .value(),
      3);
}

TEST(PrometheusAnswer, WhatIsNone) {
  const auto code = [](const std::string& body) { return figure_in_answer(body).error().code; };
  const std::string vector = R"({"status":"success","data":{"resultType":"vector","result":)";
  EXPECT_EQ(code(vector + "[]}}"), Errc::kNotFound);
  EXPECT_EQ(code(vector + R"([{"value":[1,"1"]},{"value":[1,"2"]}]}})"), Errc::kInvalidArgument);
  EXPECT_EQ(code(vector + R"([{"value":[1,"NaN"]}]}})"), Errc::kInvalidArgument);
  EXPECT_EQ(code(vector + R"([{"value":[1,"-3"]}]}})"), Errc::kInvalidArgument);
  EXPECT_EQ(code(vector + R"([{"value":[1,2]}]}})"), Errc::kCorrupt);
  EXPECT_EQ(code(vector + R"([{"value":[1,"x"]}]}})"), Errc::kCorrupt);
  EXPECT_EQ(code(vector + R"([7]}})"), Errc::kCorrupt);
  EXPECT_EQ(code(R"({"status":"error","error":"parse error"})"), Errc::kInvalidArgument);
  EXPECT_EQ(code(R"({"status":"success","data":{"resultType":"matrix","result":[]}})"),
            Errc::kInvalidArgument);
  EXPECT_FALSE(figure_in_answer("<html>"));
  EXPECT_FALSE(figure_in_answer("[]"));
  EXPECT_FALSE(figure_in_answer("null"));
  EXPECT_FALSE(figure_in_answer(vector));
}

}  // namespace
}  // namespace hive::controller
