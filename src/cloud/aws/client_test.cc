#include "cloud/aws/client.h"

#include <gtest/gtest.h>

#include "net/testing/scripted_server.h"

namespace hive::cloud::aws {
namespace {

using net::testing::answer;
using net::testing::json_answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;

constexpr const char* kIdentity =
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
    "<GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>"
    "</GetCallerIdentityResponse>";

std::string fault(const std::string& code) {
  return "<ErrorResponse><Error><Code>" + code +
         "</Code><Message>m</Message></Error></ErrorResponse>";
}

class ClientTest : public ::testing::Test {
 protected:
  // Answers in order; the last one again and again.
  void script(std::vector<Reply> replies) {
    replies_ = std::move(replies);
    server_ = std::make_unique<ScriptedServer>(
        ScriptedServer::Kind::kTcp, [this](const ScriptedRequest&) {
          const auto at = std::min<std::size_t>(next_++, replies_.size() - 1);
          return replies_[at];
        });
    ClientOptions options;
    options.region = "eu-west-1";
    options.environment = {
        {"AWS_ACCESS_KEY_ID", "AKID"},
        {"AWS_SECRET_ACCESS_KEY", "the-secret"},
        {"AWS_SESSION_TOKEN", "the-token"},
        {"AWS_ENDPOINT_URL", "http://127.0.0.1:" + std::to_string(server_->port())}};
    options.clock = &clock_;
    options.deadline = Milliseconds(5'000);
    options.pause = [this](Milliseconds time) {
      waits_.push_back(time);
      return !interrupted_;
    };
    client_ = std::make_unique<Client>(options);
  }
  std::size_t sent() const { return server_->requests().size(); }

  ManualClock clock_;
  std::vector<Reply> replies_;
  std::atomic<std::size_t> next_{0};
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<Client> client_;
  std::vector<Milliseconds> waits_;
  bool interrupted_ = false;
};

TEST_F(ClientTest, SendsASignedFormAndReadsTheResult) {
  script({answer(200, kIdentity)});
  const auto result = client_->query(Op::kGetCallerIdentity, Form().set("A b", "c&d"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->text_at("Account"), "123456789012");
  const auto request = server_->requests().at(0);
  EXPECT_EQ(request.body, "Action=GetCallerIdentity&Version=2011-06-15&A%20b=c%26d");
  EXPECT_EQ(request.headers.at("x-amz-security-token"), "the-token");
  EXPECT_TRUE(
      request.headers.at("authorization")
          .starts_with("AWS4-HMAC-SHA256 Credential=AKID/20231114/eu-west-1/sts/aws4_request"))
      << request.headers.at("authorization");
}

TEST_F(ClientTest, SendsJsonWithItsTarget) {
  script({json_answer(200, R"({"authorizationData":[]})")});
  ASSERT_TRUE(client_->json(Op::kGetAuthorizationToken, Json::object()));
  const auto request = server_->requests().at(0);
  EXPECT_EQ(request.headers.at("x-amz-target"),
            "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
  EXPECT_EQ(request.body, "{}");
}

TEST_F(ClientTest, TriesAgainWhatPasses) {
  script({answer(400, fault("Throttling")), answer(503, "busy"), answer(200, kIdentity)});
  ASSERT_TRUE(client_->query(Op::kGetCallerIdentity));
  EXPECT_EQ(sent(), 3U);
  ASSERT_EQ(waits_.size(), 2U);
  EXPECT_LE(waits_[0], Milliseconds(200));
  EXPECT_LE(waits_[1], Milliseconds(400));
}

TEST_F(ClientTest, WaitsAtLeastAsLongAsToldTo) {
  script({answer(503, "", "Retry-After: 3\r\n"), answer(200, kIdentity)});
  ASSERT_TRUE(client_->query(Op::kGetCallerIdentity));
  EXPECT_GE(waits_.at(0), Milliseconds(3'000));
}

TEST_F(ClientTest, NeverWaitsLongerThanItsBound) {
  script({answer(503, "", "Retry-After: 3000\r\n"), answer(200, kIdentity)});
  ASSERT_TRUE(client_->query(Op::kGetCallerIdentity));
  EXPECT_EQ(waits_.at(0), Milliseconds(20'000));
}

TEST_F(ClientTest, GivesUpAfterItsAttempts) {
  script({answer(400, fault("Throttling"))});
  const auto result = client_->query(Op::kGetCallerIdentity);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::kThrottled);
  EXPECT_EQ(sent(), 5U);
}

TEST_F(ClientTest, DoesNotTryAgainWhatCannotHelp) {
  script({answer(403, fault("AccessDenied"))});
  const auto result = client_->query(Op::kGetCallerIdentity);
  EXPECT_EQ(result.error().code, Errc::kPermissionDenied);
  EXPECT_NE(result.error().message.find("sts:GetCallerIdentity"), std::string::npos);
  EXPECT_EQ(sent(), 1U);
}

TEST_F(ClientTest, TriesAgainAfterAHalfAnswer) {
  script({Reply{{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<Get"}, Reply::Then::kClose},
          answer(200, kIdentity)});
  ASSERT_TRUE(client_->query(Op::kGetCallerIdentity));
  EXPECT_EQ(sent(), 2U);
}

TEST_F(ClientTest, StopsRetryingWhenMostCallsFail) {
  script({answer(503, "")});
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(client_->query(Op::kGetCallerIdentity));
  // 500 tokens at 5 a retry: 100 retries beside the 60 first attempts.
  EXPECT_EQ(sent(), 160U);
}

TEST_F(ClientTest, AnInterruptEndsTheWait) {
  script({answer(503, "")});
  interrupted_ = true;
  const auto result = client_->query(Op::kGetCallerIdentity);
  EXPECT_EQ(result.error().code, Errc::kCancelled);
  EXPECT_EQ(sent(), 1U);
}

TEST_F(ClientTest, GarbageIsCorrupt) {
  script({answer(200, "<html><body>hi"), answer(200, "<Other/>"), answer(200, ""),
          answer(200, std::string("<GetCallerIdentityResponse>") + std::string(3'000, '<'))});
  for (int i = 0; i < 4; ++i) {
    const auto result = client_->query(Op::kGetCallerIdentity);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kCorrupt) << result.error().message;
  }
  EXPECT_EQ(sent(), 4U);
}

TEST_F(ClientTest, DeepNestingIsCorrupt) {
  std::string deep = "<GetCallerIdentityResponse>";
  for (int i = 0; i < 10'000; ++i) deep += "<a>";
  for (int i = 0; i < 10'000; ++i) deep += "</a>";
  script({answer(200, deep + "</GetCallerIdentityResponse>")});
  EXPECT_EQ(client_->query(Op::kGetCallerIdentity).error().code, Errc::kCorrupt);
}

std::string vpcs(const std::string& id, const std::string& next) {
  return "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><vpcSet><item>"
         "<vpcId>" +
         id + "</vpcId></item></vpcSet>" +
         (next.empty() ? "" : "<nextToken>" + next + "</nextToken>") + "</DescribeVpcsResponse>";
}

TEST_F(ClientTest, FollowsPages) {
  script({answer(200, vpcs("vpc-1", "a/b=")), answer(200, vpcs("vpc-2", ""))});
  const auto pages = client_->query_all(Op::kDescribeVpcs, Form().set("MaxResults", 5));
  ASSERT_TRUE(pages) << pages.error().message;
  ASSERT_EQ(pages->size(), 2U);
  EXPECT_EQ(pages->at(1).list_at("vpcSet").at(0)->text_at("vpcId"), "vpc-2");
  EXPECT_EQ(server_->requests().at(1).body,
            "Action=DescribeVpcs&Version=2016-11-15&MaxResults=5&NextToken=a%2Fb%3D");
}

TEST_F(ClientTest, PagesThatGoInCirclesEnd) {
  script({answer(200, vpcs("vpc-1", "same"))});
  EXPECT_EQ(client_->query_all(Op::kDescribeVpcs).error().code, Errc::kCorrupt);
  EXPECT_EQ(sent(), 2U);
}

TEST_F(ClientTest, FollowsPagesOfJson) {
  script({json_answer(200, R"({"repositories":[1],"nextToken":"n"})"),
          json_answer(200, R"({"repositories":[2]})")});
  const auto pages = client_->json_all(Op::kDescribeRepositories, Json::object());
  ASSERT_TRUE(pages) << pages.error().message;
  EXPECT_EQ(pages->size(), 2U);
  EXPECT_EQ(server_->requests().at(1).body, R"({"nextToken":"n"})");
}

TEST_F(ClientTest, AWrongClockIsCorrectedByAwsOwn) {
  // The manual clock stands at 2023-11-14 22:13:20.
  script({answer(403, fault("SignatureDoesNotMatch"), "Date: Tue, 14 Nov 2023 23:13:20 GMT\r\n"),
          answer(200, kIdentity)});
  ASSERT_TRUE(client_->query(Op::kGetCallerIdentity));
  EXPECT_EQ(server_->requests().at(0).headers.at("x-amz-date"), "20231114T221320Z");
  EXPECT_EQ(server_->requests().at(1).headers.at("x-amz-date"), "20231114T231320Z");
}

TEST_F(ClientTest, AWrongSignatureWithARightClockIsNoReasonToRetry) {
  script({answer(403, fault("SignatureDoesNotMatch"), "Date: Tue, 14 Nov 2023 22:13:21 GMT\r\n")});
  EXPECT_EQ(client_->query(Op::kGetCallerIdentity).error().code, Errc::kUnauthenticated);
  EXPECT_EQ(sent(), 1U);
}

TEST_F(ClientTest, NoMessageHoldsASecret) {
  script({answer(403, fault("InvalidClientTokenId")), answer(200, "the-secret the-token"),
          answer(500, "the-secret"), Reply{{"garbage the-secret"}, Reply::Then::kClose}});
  for (int i = 0; i < 4; ++i) {
    const auto result = client_->query(Op::kGetCallerIdentity);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message.find("the-secret"), std::string::npos);
    EXPECT_EQ(result.error().message.find("the-token"), std::string::npos);
  }
}

TEST_F(ClientTest, TellsOfMissingCredentialsWithoutACall) {
  script({answer(200, kIdentity)});
  ClientOptions options;
  options.region = "eu-west-1";
  options.environment = {
      {"AWS_EC2_METADATA_DISABLED", "true"},
      {"AWS_ENDPOINT_URL", "http://127.0.0.1:" + std::to_string(server_->port())}};
  options.clock = &clock_;
  Client client(options);
  EXPECT_EQ(client.query(Op::kGetCallerIdentity).error().code, Errc::kUnauthenticated);
  EXPECT_EQ(sent(), 0U);
}

}  // namespace
}  // namespace hive::cloud::aws
