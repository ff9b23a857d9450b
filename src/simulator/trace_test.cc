#include "simulator/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "simulator/testing_support.h"

namespace hive::simulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Trace, IsReadWithItsComments) {
  const TemporaryFile file(
      "# step_s: 60\n# start: 1998-04-30T21:30:00Z\n# source: a cup\n\n2\n1.5\r\n0\n");
  const auto trace = read_trace(file.path());
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->name, "trace");
  EXPECT_EQ(trace->step_s, 60);
  EXPECT_EQ(trace->start, 893'971'800);
  EXPECT_EQ(trace->source, "a cup");
  EXPECT_THAT(trace->counts, ElementsAre(2, 1.5, 0));
}

// What `printf '# step_s: 1\n7\n8\n' | gzip -n` writes, and half of that.
TEST(Trace, MayBeCompressed) {
  const std::vector<unsigned char> bytes{0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                                         0x03, 0x53, 0x56, 0x28, 0x2e, 0x49, 0x2d, 0x88, 0x2f,
                                         0xb6, 0x52, 0x30, 0xe4, 0x32, 0xe7, 0xb2, 0xe0, 0x02,
                                         0x00, 0x5d, 0xfb, 0x2f, 0xb0, 0x10, 0x00, 0x00, 0x00};
  const std::string whole(bytes.begin(), bytes.end());
  const TemporaryFile good(whole, "some.txt.gz");
  const auto trace = read_trace(good.path());
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->name, "some");
  EXPECT_THAT(trace->counts, ElementsAre(7, 8));
  const TemporaryFile cut(whole.substr(0, whole.size() / 2), "cut.txt.gz");
  EXPECT_FALSE(read_trace(cut.path()));
}

TEST(Trace, FaultsNameTheLine) {
  const auto message = [](const std::string& content) {
    const TemporaryFile file(content);
    const auto trace = read_trace(file.path());
    return trace ? std::string("read") : trace.error().message;
  };
  EXPECT_THAT(message("1\n2\nthree\n"), HasSubstr("trace.txt:3: 'three' is no count"));
  EXPECT_THAT(message("1\n-2\n"), HasSubstr(":2: '-2' is no count"));
  EXPECT_THAT(message("nan\n"), HasSubstr(":1: 'nan' is no count"));
  EXPECT_THAT(message("1 2\n"), HasSubstr(":1: '1 2' is no count"));
  EXPECT_THAT(message("# step_s: 0\n1\n"), HasSubstr(":1: step_s is '0'"));
  EXPECT_THAT(message("1\n# step_s: 60\n"), HasSubstr(":2: step_s must stand before"));
  EXPECT_THAT(message("# start: yesterday\n1\n"), HasSubstr(":1: start is 'yesterday'"));
  EXPECT_THAT(message("# step_s: 1\n"), HasSubstr("it holds no counts"));
  EXPECT_THAT(message(""), HasSubstr("it holds no counts"));
}

TEST(Trace, ThatIsNotThereIsNotFound) {
  EXPECT_EQ(read_trace("/nowhere/x.gz").error().code, Errc::kNotFound);
  EXPECT_EQ(read_trace("/tmp").error().code, Errc::kInvalidArgument);
}

TEST(ToLoad, SecondsAreTheCounts) {
  Random random(1);
  const auto load = to_load({.name = "a", .counts = {3, 0, 5}}, random, 2, 1);
  ASSERT_TRUE(load);
  EXPECT_THAT(load->requests, ElementsAre(0, 5));
  EXPECT_EQ(load->start, 1);
  EXPECT_FALSE(to_load({.name = "a", .counts = {3}}, random, 10, 1));
}

// Mean and variance of the drawn seconds, within five standard errors.
TEST(ToLoad, CoarseStepsAreDrawnWithTheirMeanAndDispersion) {
  Random random(42);
  const Trace trace{.name = "a", .step_s = 100, .counts = std::vector<double>(1000, 800.0)};
  const auto load = to_load(trace, random);
  ASSERT_TRUE(load);
  ASSERT_EQ(load->requests.size(), 100'000U);
  double sum = 0;
  double squares = 0;
  for (const float one : load->requests) {
    sum += static_cast<double>(one);
    squares += static_cast<double>(one) * static_cast<double>(one);
  }
  const double mean = sum / 100'000;
  const double variance = squares / 100'000 - mean * mean;
  EXPECT_NEAR(mean, 8, 5 * std::sqrt(8 * kDispersion / 100'000));
  EXPECT_NEAR(variance / mean, kDispersion, 0.04);
}

TEST(ToLoad, EachStepKeepsItsTotalInExpectation) {
  Random random(7);
  Trace trace{.name = "a", .step_s = 3600, .counts = {36'000, 72'000, 144'000, 180'000, 90'000}};
  const auto load = to_load(trace, random);
  ASSERT_TRUE(load);
  for (std::size_t step = 0; step < trace.counts.size(); ++step) {
    double sum = 0;
    for (std::size_t t = 0; t < 3600; ++t)
      sum += static_cast<double>(load->requests[step * 3600 + t]);
    EXPECT_NEAR(sum / trace.counts[step], 1, 0.02) << step;
  }
}

TEST(Gaps, AreLongSilencesOfABusyLoad) {
  std::vector<float> requests(20'000, 50.0F);
  std::fill(requests.begin() + 8000, requests.begin() + 9740, 0.0F);      // a collection gap
  std::fill(requests.begin() + 15'000, requests.begin() + 15'300, 0.0F);  // short: an outage
  EXPECT_THAT(find_gaps(requests), ElementsAre(Span{8000, 9740}));
  EXPECT_TRUE(find_gaps(std::vector<float>(20'000, 0.0F)).empty());
  std::vector<float> quiet(20'000, 1.0F);
  std::fill(quiet.begin() + 8000, quiet.begin() + 9740, 0.0F);
  EXPECT_TRUE(find_gaps(quiet).empty());
}

TEST(Load, MeasuresLeaveGapsOut) {
  Load load{.requests = {1, 100, 100, 3, 2}, .gaps = {{1, 3}}};
  EXPECT_EQ(measured_seconds(load), 3U);
  EXPECT_EQ(measured_requests(load), 6);
  EXPECT_EQ(quantile(load, 1), 3);
  EXPECT_EQ(quantile(load, 0.5), 2);
  EXPECT_EQ(quantile(Load{}, 0.5), 0);
}

}  // namespace
}  // namespace hive::simulator
