#include "controller/join_desk.h"

#include <gmock/gmock.h>

#include "engine/fake/fake_engine.h"

namespace hive::controller {
namespace {

namespace aws = cloud::aws;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class JoinDeskTest : public ::testing::Test {
 protected:
  JoinDeskTest()
      : desk(aws::Names("shop"),
             {.confirm = [this](const aws::Proof&) { return identity; },
              .facts = [this] { return facts; },
              .prepared =
                  [this](const std::string& instance) {
                    prepared.push_back(instance);
                    return answers;
                  }},
             engine, clock, history) {
    identity = aws::Identity{"1", "arn:aws:sts::1:assumed-role/hive-shop-worker/i-0000worker"};
    aws::Facts told{.account = "1"};
    told.machines.push_back({.id = "i-0000worker",
                             .state = aws::MachineState::kRunning,
                             .address = "10.0.0.9",
                             .tags = {{aws::kRoleTag, "worker"}}});
    told.workers = aws::Group{.name = "hive-shop-workers"};
    told.workers->members.push_back({.id = "i-0000worker", .lifecycle_state = "InService"});
    facts = told;
  }
  net::ServerResponse ask(const std::string& address = "10.0.0.9", std::string body = "") {
    net::ServerRequest request{.method = "POST", .path = aws::kJoinPath};
    request.body = body.empty() ? R"({"authorization": "a", "date": "b"})" : std::move(body);
    request.peer.address = address;
    return desk.answer(request);
  }
  std::string worker_token() { return engine.join_tokens()->worker; }
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const auto& event : history.list(0, 100)) out.push_back(event.kind + " " + event.reason);
    return out;
  }

  engine::fake::FakeEngine engine;
  ManualClock clock;
  store::History history{""};
  Result<aws::Identity> identity;
  Result<aws::Facts> facts;
  std::vector<std::string> prepared;
  Status answers;  // of its hook
  JoinDesk desk;
};

TEST_F(JoinDeskTest, WhoIsTheClustersGetsTheTokenOfItsRole) {
  const auto answer = ask();
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto offer = aws::offer_from_json(*parse_json(answer.body, "answer"));
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->token, worker_token());
  EXPECT_EQ(offer->hostname, "shop-worker-00worker");
  EXPECT_FALSE(offer->managers.empty());
  EXPECT_THAT(events(), Contains(HasSubstr("node_admitted instance i-0000worker")));
  for (const auto& event : events()) EXPECT_THAT(event, Not(HasSubstr("SWMTKN")));
}

TEST_F(JoinDeskTest, WhoIsNotIsRefusedOnceAndNoTokenIsInTheAnswer) {
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask("10.0.0.66");
    EXPECT_EQ(answer.status, 403);
    EXPECT_THAT(answer.body, HasSubstr("10.0.0.66 asks"));
    EXPECT_THAT(answer.body, Not(HasSubstr("SWMTKN")));
  }
  EXPECT_EQ(events().size(), 1U);
  identity = fail(Errc::kUnauthenticated, "STS does not confirm the proof");
  EXPECT_EQ(ask().status, 403);
}

TEST_F(JoinDeskTest, WhoIsInTheWarmPoolGetsNoTokenAndItsHookIsAnswered) {
  facts->workers->members.clear();
  facts->warm.push_back({.id = "i-0000worker", .lifecycle_state = "Warmed:Pending:Wait"});
  answers = fail(Errc::kThrottled, "slower");
  EXPECT_EQ(ask().status, 503) << "it asks again";
  answers = {};
  const auto answer = ask();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, Not(HasSubstr("SWMTKN")));
  const auto offer = aws::offer_from_json(*parse_json(answer.body, "answer"));
  ASSERT_TRUE(offer);
  EXPECT_TRUE(offer->rests);
  EXPECT_THAT(events(), Contains(HasSubstr("instance_warmed instance i-0000worker is prepared")));
  facts->warm[0].lifecycle_state = "Warmed:Running";
  EXPECT_EQ(ask().status, 200);
  EXPECT_THAT(prepared, ::testing::ElementsAre("i-0000worker", "i-0000worker"));
}

TEST_F(JoinDeskTest, WhatIsNoProofIsABadRequest) {
  EXPECT_EQ(ask("10.0.0.9", "garbage").status, 400);
  EXPECT_EQ(ask("10.0.0.9", "{}").status, 400);
  net::ServerRequest other{.method = "GET", .path = aws::kJoinPath};
  EXPECT_EQ(desk.answer(other).status, 405);
  other.path = "/v1/status";
  EXPECT_EQ(desk.answer(other).status, 404);
}

TEST_F(JoinDeskTest, ACloudOrEngineThatDoesNotAnswerIsNoRefusal) {
  facts = fail(Errc::kThrottled, "slower");
  EXPECT_EQ(ask().status, 503);
  facts = aws::Facts{};
  identity = fail(Errc::kUnavailable, "STS is not there");
  EXPECT_EQ(ask().status, 503);
}

TEST_F(JoinDeskTest, TokensAreMadeAnewAfterTheyWereGivenOut) {
  ASSERT_EQ(ask().status, 200);
  const std::string given = worker_token();
  clock.advance(JoinDesk::kTokenLife - Milliseconds(1));
  desk.turn();
  EXPECT_EQ(worker_token(), given) << "it may just be used";
  clock.advance(Milliseconds(1));
  desk.turn();
  EXPECT_NE(worker_token(), given);
  const std::string next = worker_token();
  clock.advance(JoinDesk::kTokenLife * 10);
  desk.turn();
  EXPECT_EQ(worker_token(), next) << "nobody has it";
}

TEST_F(JoinDeskTest, WhatAnEarlierLifeGaveOutIsMadeAnewToo) {
  const std::string before = worker_token();
  const std::string manager = engine.join_tokens()->manager;
  clock.advance(JoinDesk::kTokenLife);
  desk.turn();
  EXPECT_NE(worker_token(), before);
  EXPECT_NE(engine.join_tokens()->manager, manager);
}

TEST_F(JoinDeskTest, ARotationThatFailsIsTriedAgain) {
  const std::string before = worker_token();
  clock.advance(JoinDesk::kTokenLife);
  engine.fail_next("rotate_join_tokens", {Errc::kUnavailable, "no leader", {}});
  desk.turn();
  EXPECT_EQ(worker_token(), before);
  desk.turn();
  EXPECT_NE(worker_token(), before);
}

}  // namespace
}  // namespace hive::controller
