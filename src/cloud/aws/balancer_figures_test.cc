#include "cloud/aws/balancer_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::cloud::aws {
namespace {

using ::testing::HasSubstr;

const WallTime kNow{std::chrono::seconds(1'700'000'020)};  // within a minute
const WallTime kMinuteBegins = std::chrono::floor<std::chrono::minutes>(kNow);

// The beginning of the minute that ended so many whole minutes ago.
WallTime ended(int minutes_ago) { return kMinuteBegins - std::chrono::minutes(minutes_ago + 1); }

class FiguresTest : public ::testing::Test {
 protected:
  FiguresTest() {
    for (const char* id : {"requests", "latency", "queue", "spillover", "healthy"})
      told_[id].complete = true;
  }
  void put(const char* id, int minutes_ago, double value) {
    told_[id].points.push_back({ended(minutes_ago), value});
  }
  Measured read(BalancerFigure figure) { return read_figures(told_, {figure}, kNow).at(figure); }
  double age_s(const Measured& one) {
    return std::chrono::duration<double>(kNow.time_since_epoch()).count() -
           static_cast<double>(one.until_unix_ms) / 1'000;
  }

  std::map<std::string, MetricSeries> told_;
};

TEST_F(FiguresTest, TheNewestMinuteThatIsWhole) {
  put("requests", 4, 60'000);
  put("requests", 3, 6'000);
  put("requests", 2, 12'000);
  put("requests", 1, 900);  // not all of it may be there
  const auto told = read(BalancerFigure::kRequests);
  EXPECT_EQ(told.value, 200) << "a second";
  EXPECT_TRUE(told.whole);
  EXPECT_EQ(told.trouble, "");
  EXPECT_EQ(age_s(told), 120 + std::chrono::duration<double>(kNow - kMinuteBegins).count());
}

TEST_F(FiguresTest, AYoungerOneCountsWhereItIsMore) {
  put("queue", 2, 3);
  put("queue", 1, 40);
  put("queue", 0, 20);
  const auto told = read(BalancerFigure::kSurgeQueue);
  EXPECT_EQ(told.value, 40);
  EXPECT_TRUE(told.whole);
  EXPECT_LT(age_s(told), 120);
  told_["queue"].points.erase(told_["queue"].points.begin());
  const auto alone = read(BalancerFigure::kSurgeQueue);
  EXPECT_EQ(alone.value, 40);
  EXPECT_FALSE(alone.whole) << "it is at least this";
}

TEST_F(FiguresTest, AMinuteThatIsNotOverIsNone) {
  put("requests", -1, 6'000);
  EXPECT_EQ(read(BalancerFigure::kRequests).value, std::nullopt);
}

// Balancers do not report requests, queues and refusals where there are none.
TEST_F(FiguresTest, WhatAReportedMinuteDoesNotHaveIsZero) {
  put("spillover", 4, 600);
  for (const int ago : {4, 3, 2, 1}) put("healthy", ago, 2);
  for (const auto figure : {BalancerFigure::kRequests, BalancerFigure::kLatency,
                            BalancerFigure::kSurgeQueue, BalancerFigure::kSpillover}) {
    const auto told = read(figure);
    EXPECT_EQ(told.value, 0);
    EXPECT_TRUE(told.whole);
    EXPECT_LT(age_s(told), 180) << "the newest that was reported, once it has settled";
    EXPECT_GE(age_s(told), 120);
  }
  put("spillover", 2, 60);
  EXPECT_EQ(read(BalancerFigure::kSpillover).value, 1);
}

TEST_F(FiguresTest, WithoutAReportNothingIsKnown) {
  put("requests", 5, 6'000);
  const auto old = read(BalancerFigure::kRequests);
  EXPECT_EQ(old.value, 100);
  EXPECT_GT(age_s(old), 300) << "it is as old as it is";
  const auto none = read(BalancerFigure::kLatency);
  EXPECT_EQ(none.value, std::nullopt);
  EXPECT_FALSE(none.whole);
  EXPECT_THAT(none.trouble, HasSubstr("no Latency"));
}

TEST_F(FiguresTest, WhatIsNotCompleteIsNotZero) {
  put("healthy", 2, 2);
  put("requests", 4, 6'000);
  told_["requests"].complete = false;
  told_["requests"].trouble = "CloudWatch says PartialData";
  const auto told = read(BalancerFigure::kRequests);
  EXPECT_EQ(told.value, 100) << "what is there is right";
  EXPECT_EQ(told.trouble, "CloudWatch says PartialData");
  told_.erase("requests");
  EXPECT_EQ(read(BalancerFigure::kRequests).value, std::nullopt);
}

TEST_F(FiguresTest, NegativeIsGarbage) {
  put("latency", 3, -0.5);
  put("latency", 2, 0.5);
  const auto told = read(BalancerFigure::kLatency);
  EXPECT_EQ(told.value, std::nullopt);
  EXPECT_THAT(told.trouble, HasSubstr("negative"));
}

TEST_F(FiguresTest, OnlyWhatIsWantedIsAskedAndThePulse) {
  EXPECT_TRUE(figure_queries("hive-shop", {}).empty());
  const auto queries = figure_queries("hive-shop", {BalancerFigure::kLatency});
  ASSERT_EQ(queries.size(), 2U);
  EXPECT_EQ(queries[0].name, "Latency");
  EXPECT_EQ(queries[0].statistic, "Average");
  EXPECT_EQ(queries[1].name, "HealthyHostCount");
  for (const auto& one : queries) EXPECT_EQ(one.dimensions.at("LoadBalancerName"), "hive-shop");
}

}  // namespace
}  // namespace hive::cloud::aws
