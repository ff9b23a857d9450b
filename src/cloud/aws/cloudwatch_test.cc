// GetMetricData over a server that answers whole, in pages, by half, refusing, or with garbage.
#include "cloud/aws/cloudwatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "net/testing/scripted_server.h"

namespace hive::cloud::aws {
namespace {

using net::testing::answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;
using ::testing::HasSubstr;

std::string result(const std::string& id, const std::string& status, const std::string& times,
                   const std::string& values, const std::string& more = "") {
  return "<member><Id>" + id + "</Id><StatusCode>" + status + "</StatusCode><Timestamps>" + times +
         "</Timestamps><Values>" + values + "</Values>" + more + "</member>";
}
std::string minute(const std::string& time) {
  return "<member>2023-11-14T22:" + time + ":00Z</member>";
}
std::string value(const std::string& number) { return "<member>" + number + "</member>"; }
std::string message(const std::string& code, const std::string& words) {
  return "<Messages><member><Code>" + code + "</Code><Value>" + words +
         "</Value></member></Messages>";
}
Reply page(const std::string& results, const std::string& token = "",
           const std::string& more = "") {
  return answer(200,
                "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"
                "<GetMetricDataResult><MetricDataResults>" +
                    results + "</MetricDataResults>" + more +
                    (token.empty() ? "" : "<NextToken>" + token + "</NextToken>") +
                    "</GetMetricDataResult></GetMetricDataResponse>");
}
Reply fault(int status, const std::string& code) {
  return answer(status, "<ErrorResponse><Error><Code>" + code +
                            "</Code><Message>m</Message></Error></ErrorResponse>");
}

class CloudWatchCallTest : public ::testing::Test {
 protected:
  // Answers in order; the last one again and again.
  Result<std::map<std::string, MetricSeries>> ask(std::vector<Reply> replies) {
    std::atomic<std::size_t> next{0};
    ScriptedServer server(ScriptedServer::Kind::kTcp, [&](const ScriptedRequest&) {
      return replies[std::min<std::size_t>(next++, replies.size() - 1)];
    });
    ClientOptions options;
    options.region = "eu-west-1";
    options.environment = {
        {"AWS_ACCESS_KEY_ID", "AKID"},
        {"AWS_SECRET_ACCESS_KEY", "the-secret"},
        {"AWS_ENDPOINT_URL", "http://127.0.0.1:" + std::to_string(server.port())}};
    options.clock = &clock_;
    options.pause = [](Milliseconds) { return true; };
    Client client(options);
    auto told = get_metric_data(
        client,
        {{"a", "AWS/ELB", "RequestCount", {{"LoadBalancerName", "hive-shop"}}, "Sum", 60},
         {"b", "AWS/ELB", "Latency", {{"LoadBalancerName", "hive-shop"}}, "Average", 60}},
        clock_.wall_now() - std::chrono::minutes(8), clock_.wall_now());
    requests_ = server.requests();
    return told;
  }

  ManualClock clock_;
  std::vector<ScriptedRequest> requests_;
};

TEST_F(CloudWatchCallTest, AsksForAllInOneCallAndReadsThemInOrder) {
  const auto told =
      ask({page(result("a", "Complete", minute("10") + minute("09"), value("9") + value("8.5E1")) +
                result("b", "Complete", "", ""))});
  ASSERT_TRUE(told) << told.error().message;
  ASSERT_EQ(told->size(), 2U);
  const auto& points = told->at("a").points;
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].value, 85);
  EXPECT_EQ(points[1].value, 9);
  EXPECT_EQ(points[1].at - points[0].at, std::chrono::minutes(1));
  EXPECT_TRUE(told->at("a").complete);
  EXPECT_TRUE(told->at("b").complete) << "nothing, and that is all of it";
  EXPECT_EQ(told->at("b").trouble, "");
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_THAT(requests_[0].body, HasSubstr("Action=GetMetricData&Version=2010-08-01&"));
  EXPECT_THAT(requests_[0].body, HasSubstr("StartTime=2023-11-14T22%3A05%3A20Z"));
  EXPECT_THAT(requests_[0].body, HasSubstr("MetricDataQueries.member.2.MetricStat.Stat=Average"));
}

TEST_F(CloudWatchCallTest, ASeriesMayGoOnOnTheNextPage) {
  const auto told = ask(
      {page(result("a", "PartialData", minute("08"), value("1")), "more"),
       page(result("a", "Complete", minute("09"), value("2")) + result("b", "Complete", "", ""))});
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(told->at("a").points.size(), 2U);
  EXPECT_TRUE(told->at("a").complete);
  EXPECT_EQ(told->at("a").trouble, "");
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_THAT(requests_[1].body, HasSubstr("NextToken=more"));
}

TEST_F(CloudWatchCallTest, WhatIsNotWholeIsSaidOfItselfAlone) {
  const auto told = ask({page(result("a", "PartialData", minute("08"), value("1")) +
                              result("b", "Forbidden", "", "", message("X", "no cross region")))});
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(told->at("a").points.size(), 1U);
  EXPECT_FALSE(told->at("a").complete);
  EXPECT_EQ(told->at("a").trouble, "CloudWatch says PartialData");
  EXPECT_EQ(told->at("b").trouble, "CloudWatch says Forbidden (X: no cross region)");
  const auto half =
      ask({page(result("a", "InternalError", "", "") + result("b", "Complete", "", ""))});
  EXPECT_FALSE(half->at("a").complete);
  EXPECT_TRUE(half->at("b").complete);
}

TEST_F(CloudWatchCallTest, WhatIsNotInTheAnswerIsNotComplete) {
  const auto told = ask({page(result("a", "Complete", "", "") + result("c", "Complete", "", ""))});
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->at("b").complete);
  EXPECT_THAT(told->at("b").trouble, HasSubstr("does not have it"));
}

// "As much of the operation as possible is still executed": which part is not said.
TEST_F(CloudWatchCallTest, AWordOnTheWholeCallIsOneOnEachSeries) {
  const auto told =
      ask({page(result("a", "Complete", minute("08"), value("1")) + result("b", "Complete", "", ""),
                "", message("Max", "too many metrics"))});
  ASSERT_TRUE(told);
  for (const char* id : {"a", "b"}) {
    EXPECT_FALSE(told->at(id).complete);
    EXPECT_EQ(told->at(id).trouble, "CloudWatch says Max: too many metrics");
  }
  EXPECT_EQ(told->at("a").points.size(), 1U);
}

TEST_F(CloudWatchCallTest, ThrottlingIsTriedAgainAndThenSaid) {
  const auto whole = page(result("a", "Complete", "", "") + result("b", "Complete", "", ""));
  ASSERT_TRUE(ask({fault(400, "Throttling"), fault(500, "InternalServiceFault"), whole}));
  EXPECT_EQ(requests_.size(), 3U);
  EXPECT_EQ(ask({fault(400, "ThrottlingException")}).error().code, Errc::kThrottled);
  const auto refused = ask({fault(403, "AccessDenied")});
  EXPECT_EQ(refused.error().code, Errc::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("cloudwatch:GetMetricData"));
}

TEST_F(CloudWatchCallTest, GarbageIsNoFigure) {
  const std::pair<std::string, std::string> bad[] = {
      {minute("08"), ""},
      {minute("08"), value("")},
      {minute("08"), value("1 ")},
      {minute("08"), value("NaN")},
      {minute("08"), value("1e999")},
      {value("noon"), value("1")},
      {minute("08"), value("inf")},
      {"", value("1")},
  };
  for (const auto& [times, values] : bad) {
    const auto told = ask({page(result("a", "Complete", times, values))});
    ASSERT_FALSE(told) << times << values;
    EXPECT_EQ(told.error().code, Errc::kCorrupt) << told.error().message;
  }
}

}  // namespace
}  // namespace hive::cloud::aws
