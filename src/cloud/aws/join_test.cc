#include "cloud/aws/join.h"

#include <gmock/gmock.h>

#include "cloud/aws/identity.h"

namespace hive::cloud::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A manager and a worker of cluster shop, both of which would be admitted.
class JoinTest : public ::testing::Test {
 protected:
  JoinTest() {
    facts.account = "123456789012";
    facts.machines.push_back({.id = "i-0000000000000000a",
                              .state = MachineState::kRunning,
                              .address = "10.0.0.5",
                              .tags = {{kRoleTag, "manager"}, {"Name", "shop-manager-2"}}});
    facts.machines.push_back({.id = "i-00000000deadbeef",
                              .state = MachineState::kPending,
                              .address = "10.0.0.9",
                              .tags = {{kRoleTag, "worker"}, {"Name", "shop-worker"}}});
    facts.workers = Group{.name = "hive-shop-workers"};
    facts.workers->members.push_back(
        {.id = "i-00000000deadbeef", .lifecycle_state = "Pending:Wait"});
    worker = {{"123456789012", arn("hive-shop-worker", "i-00000000deadbeef")}, "10.0.0.9"};
    manager = {{"123456789012", arn("hive-shop-manager", "i-0000000000000000a")}, "10.0.0.5"};
  }
  static std::string arn(const std::string& role, const std::string& session) {
    return "arn:aws:sts::123456789012:assumed-role/" + role + "/" + session;
  }
  std::string refusal(const Asker& asker) const {
    const auto out = admit(asker, names, facts);
    if (out) return "admitted";
    EXPECT_EQ(out.error().code, Errc::kPermissionDenied);
    return out.error().message;
  }

  const Names names{"shop"};
  Facts facts;
  Asker worker;
  Asker manager;
};

TEST_F(JoinTest, TheClustersOwnAreAdmittedAsWhatTheyAre) {
  const auto one = admit(worker, names, facts);
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->role, "worker");
  EXPECT_EQ(one->hostname, "shop-worker-deadbeef");
  const auto other = admit(manager, names, facts);
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(other->role, "manager");
  EXPECT_EQ(other->hostname, "shop-manager-2");
}

TEST_F(JoinTest, OneInTheWarmPoolRests) {
  facts.workers->members.clear();
  facts.warm.push_back({.id = "i-00000000deadbeef", .lifecycle_state = "Warmed:Pending:Wait"});
  const auto prepared = admit(worker, names, facts);
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_TRUE(prepared->rests && prepared->held);
  for (const char* state : {"Warmed:Pending:Proceed", "Warmed:Running", "Warmed:Stopped"}) {
    facts.warm[0].lifecycle_state = state;
    const auto resting = admit(worker, names, facts);
    ASSERT_TRUE(resting) << resting.error().message;
    EXPECT_TRUE(resting->rests && !resting->held) << state;
  }
  facts.warm[0].lifecycle_state = "Warmed:Pending";
  EXPECT_THAT(refusal(worker), HasSubstr("has just put it into its warm pool"));
  facts.warm[0].lifecycle_state = "Warmed:Terminating:Wait";
  EXPECT_THAT(refusal(worker), HasSubstr("its group is ending it"));
  // Seen in both, it is the group's already.
  facts.warm[0].lifecycle_state = "Warmed:Stopped";
  facts.workers->members.push_back({.id = "i-00000000deadbeef", .lifecycle_state = "Pending:Wait"});
  EXPECT_FALSE(admit(worker, names, facts)->rests);
}

TEST_F(JoinTest, WhoeverElseSaysThatItIsInTheWarmPoolIsRefused) {
  facts.workers->members.clear();
  facts.warm.push_back({.id = "i-00000000deadbeef", .lifecycle_state = "Warmed:Pending:Wait"});
  worker.address = "10.0.0.66";
  EXPECT_THAT(refusal(worker), HasSubstr("10.0.0.66 asks"));
}

TEST_F(JoinTest, AUserOrAnotherKindOfIdentityIsRefused) {
  worker.identity.arn = "arn:aws:iam::123456789012:user/eve";
  EXPECT_THAT(refusal(worker), HasSubstr("no instance's role"));
  worker.identity.arn = "";
  EXPECT_THAT(refusal(worker), HasSubstr("no instance's role"));
}

TEST_F(JoinTest, ARoleThatAPersonAssumedIsRefused) {
  worker.identity.arn = arn("hive-shop-worker", "eve");
  EXPECT_THAT(refusal(worker), HasSubstr("no instance"));
}

TEST_F(JoinTest, AnotherAccountIsRefused) {
  worker.identity.account = "999999999999";
  EXPECT_THAT(refusal(worker), HasSubstr("account 999999999999"));
}

TEST_F(JoinTest, AnotherClustersRoleIsRefused) {
  worker.identity.arn = arn("hive-blog-worker", "i-00000000deadbeef");
  EXPECT_THAT(refusal(worker), HasSubstr("none of cluster shop"));
}

TEST_F(JoinTest, AnInstanceWithoutTheClustersTagIsRefused) {
  facts.machines.pop_back();
  EXPECT_THAT(refusal(worker), HasSubstr("no such instance of cluster shop"));
}

TEST_F(JoinTest, AnInstanceThatEndsIsRefused) {
  for (const auto state : {MachineState::kStopping, MachineState::kStopped,
                           MachineState::kShuttingDown, MachineState::kTerminated}) {
    facts.machines[1].state = state;
    EXPECT_THAT(refusal(worker), HasSubstr("it is " + std::string(to_string(state))));
  }
}

TEST_F(JoinTest, ProofFromAnotherAddressIsRefused) {
  worker.address = "10.0.0.66";
  EXPECT_THAT(refusal(worker), HasSubstr("10.0.0.66 asks"));
}

TEST_F(JoinTest, AWorkerDoesNotBecomeAManager) {
  worker.identity.arn = arn("hive-shop-manager", "i-00000000deadbeef");
  EXPECT_THAT(refusal(worker), HasSubstr("tagged as worker"));
  manager.identity.arn = arn("hive-shop-worker", "i-0000000000000000a");
  EXPECT_THAT(refusal(manager), HasSubstr("tagged as manager"));
}

TEST_F(JoinTest, AWorkerThatIsNoMemberOfTheGroupIsRefused) {
  facts.workers->members.clear();
  EXPECT_THAT(refusal(worker), HasSubstr("no member of worker group"));
  facts.workers.reset();
  EXPECT_THAT(refusal(worker), HasSubstr("has no worker group"));
}

TEST_F(JoinTest, AWorkerThatItsGroupEndsIsRefused) {
  facts.workers->members[0].lifecycle_state = "Terminating:Wait";
  EXPECT_THAT(refusal(worker), HasSubstr("is ending it"));
}

TEST(Offer, ReadsWhatItWrote) {
  const auto read = offer_from_json(to_json(Offer{"SWMTKN-1", "shop-worker-1", {"10.0.0.1"}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->token, "SWMTKN-1");
  EXPECT_EQ(read->managers, std::vector<std::string>{"10.0.0.1"});
  EXPECT_FALSE(offer_from_json(Json::object()));
}

// --- the proof

Credentials keys() {
  return {"AKID", os::Secret("the-secret-key"), os::Secret("session"), std::nullopt, "a test"};
}
const Endpoint kSts{"https://sts.eu-central-1.amazonaws.com", "sts.eu-central-1.amazonaws.com",
                    "eu-central-1"};
const WallTime kProvenAt{std::chrono::seconds(1'700'000'000)};

net::Response answer_of_sts(int status, const std::string& body) {
  net::Response out;
  out.status = status;
  out.body = body;
  return out;
}

TEST(Proof, IsWhatTheSignerSentAndHoldsNoKey) {
  const auto proof = prove("shop", keys(), kSts, kProvenAt);
  EXPECT_THAT(proof.authorization, HasSubstr("x-hive-cluster"));
  EXPECT_THAT(to_json(proof).dump(), Not(HasSubstr("the-secret-key")));
  const auto again = proof_from_json(to_json(proof));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, proof);
  net::Request sent;
  const auto who =
      confirm(proof, "shop", [&](const net::Request& request) -> Result<net::Response> {
        sent = request;
        return answer_of_sts(200,
                             "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:x</Arn>"
                             "<Account>1</Account></GetCallerIdentityResult>"
                             "</GetCallerIdentityResponse>");
      });
  ASSERT_TRUE(who) << who.error().message;
  EXPECT_EQ(who->arn, "arn:x");
  EXPECT_EQ(sent.body, "Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(sent.headers.find("x-hive-cluster")->second, "shop");
  EXPECT_EQ(sent.headers.find("authorization")->second, proof.authorization);
}

TEST(Proof, ForAnotherPurposeIsNotSentOn) {
  auto proof = prove("shop", keys(), kSts, kProvenAt);
  const auto at = proof.authorization.find(";x-hive-cluster");
  proof.authorization.erase(at, std::string(";x-hive-cluster").size());
  bool asked = false;
  const auto who = confirm(proof, "shop", [&](const net::Request&) -> Result<net::Response> {
    asked = true;
    return answer_of_sts(200, "");
  });
  EXPECT_FALSE(asked);
  EXPECT_EQ(who.error().code, Errc::kInvalidArgument);
}

TEST(Proof, WhatStsSaysDecides) {
  const auto proof = prove("shop", keys(), kSts, kProvenAt);
  const auto code = [&](int status, const std::string& body) {
    const auto who = confirm(proof, "shop", [&](const net::Request&) -> Result<net::Response> {
      return answer_of_sts(status, body);
    });
    return who ? Errc::kInternal : who.error().code;
  };
  EXPECT_EQ(code(403, "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"),
            Errc::kUnauthenticated);
  EXPECT_EQ(code(503, ""), Errc::kUnavailable);
  EXPECT_EQ(code(429, ""), Errc::kUnavailable);
  EXPECT_EQ(code(200, "<a></a>"), Errc::kCorrupt);
}

TEST(Proof, HeadersCannotBeSmuggledIn) {
  Json json = to_json(prove("shop", keys(), kSts, kProvenAt));
  json["date"] = "20260101T000000Z\r\nx-evil: 1";
  EXPECT_EQ(proof_from_json(json).error().code, Errc::kInvalidArgument);
  EXPECT_FALSE(proof_from_json(Json::object()));
}

}  // namespace
}  // namespace hive::cloud::aws
