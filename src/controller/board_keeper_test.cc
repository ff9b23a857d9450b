#include <gmock/gmock.h>

#include <future>

#include "cloud/aws/testing/parameters.h"
#include "controller/aws_site.h"
#include "engine/fake/fake_engine.h"
#include "net/testing/scripted_server.h"

namespace hive::controller {
namespace {

namespace aws = cloud::aws;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BoardKeeperTest : public ::testing::Test {
 protected:
  BoardKeeperTest()
      : server_(ScriptedServer::Kind::kTcp,
                [this](const ScriptedRequest& request) {
                  const auto out = ssm.answer(request.headers.at("x-amz-target"), request.body);
                  return net::testing::json_answer(out.status, out.body);
                }),
        client_({.region = "eu-central-1",
                 .profile = "",
                 .environment = {{"AWS_ENDPOINT_URL",
                                  "http://127.0.0.1:" + std::to_string(server_.port())},
                                 {"AWS_ACCESS_KEY_ID", "a"},
                                 {"AWS_SECRET_ACCESS_KEY", "b"}},
                 .clock = &clock,
                 .max_attempts = 1,
                 .pause = [](Milliseconds) { return false; }}),
        board(client_, aws::Names("shop")) {}

  std::unique_ptr<BoardKeeper> keeper() {
    return std::make_unique<BoardKeeper>(board, engine, clock,
                                         [this](const aws::Stack& stack) -> Status {
                                           deployed.push_back(stack.files.at("compose.yml"));
                                           return outcome;
                                         });
  }
  aws::ClusterStatus status() { return board.status()->value_or(aws::ClusterStatus{}); }
  std::size_t writes() const {
    const auto requests = server_.requests();
    return static_cast<std::size_t>(
        std::count_if(requests.begin(), requests.end(), [](const ScriptedRequest& one) {
          return one.headers.at("x-amz-target").ends_with("PutParameter");
        }));
  }

  aws::testing::Parameters ssm;
  ManualClock clock;
  engine::fake::FakeEngine engine;

 private:
  ScriptedServer server_;
  aws::Client client_;

 protected:
  aws::Board board;
  std::vector<std::string> deployed;
  Status outcome;
};

TEST_F(BoardKeeperTest, TellsWhereTheSwarmIsAndHowItIs) {
  const auto worker = engine.add_node("shop-worker-1");
  auto one = keeper();
  ASSERT_TRUE(one->turn()) << one->turn().error().message;
  const auto place = board.swarm();
  ASSERT_TRUE(place && *place);
  EXPECT_EQ((*place)->managers.size(), 1U);
  EXPECT_EQ(status().managers_ready, 1U);
  EXPECT_EQ(status().workers_ready, 1U);
  engine.set_node_state(worker, model::NodeState::kDown);
  ASSERT_TRUE(one->turn());
  EXPECT_EQ(status().workers_ready, 0U);
  EXPECT_THAT(status().waiting, ElementsAre("shop-worker-1"));
}

TEST_F(BoardKeeperTest, WritesWhatChangedAndSaysNowAndThenThatItLives) {
  auto one = keeper();
  ASSERT_TRUE(one->turn());
  const auto before = writes();
  ASSERT_TRUE(one->turn());
  EXPECT_EQ(writes(), before);
  const auto said = status().unix_s;
  clock.advance(Milliseconds(30'000));
  ASSERT_TRUE(one->turn());
  EXPECT_EQ(writes(), before + 1);
  EXPECT_GT(status().unix_s, said);
}

TEST_F(BoardKeeperTest, AStackIsDeployedOnceByWhomeverLeads) {
  ASSERT_TRUE(board.put_stack({{"compose.yml", "a"}}, "1"));
  auto one = keeper();
  ASSERT_TRUE(one->turn());
  one->finish();
  ASSERT_TRUE(one->turn());
  EXPECT_EQ(status().stack, "deployed");
  EXPECT_EQ(status().revision, **board.stack_revision());
  auto next = keeper();  // another manager, after this one's death
  ASSERT_TRUE(next->turn());
  next->finish();
  EXPECT_THAT(deployed, ElementsAre("a"));
  // The same files, asked for again.
  ASSERT_TRUE(board.put_stack({{"compose.yml", "a"}}, "2"));
  ASSERT_TRUE(next->turn());
  next->finish();
  EXPECT_THAT(deployed, ElementsAre("a", "a"));
}

TEST_F(BoardKeeperTest, ADeploymentThatWasCutShortIsBegunAgain) {
  ASSERT_TRUE(board.put_stack({{"compose.yml", "a"}}, "1"));
  ASSERT_TRUE(board.put_status({.revision = **board.stack_revision(), .stack = "deploying"}));
  auto one = keeper();
  ASSERT_TRUE(one->turn());
  one->finish();
  EXPECT_THAT(deployed, ElementsAre("a"));
}

TEST_F(BoardKeeperTest, AFailureIsToldWithItsReasonAndNotRepeated) {
  outcome = fail(Errc::kFailedPrecondition, "no node has /data");
  ASSERT_TRUE(board.put_stack({{"compose.yml", "a"}}, "1"));
  auto one = keeper();
  ASSERT_TRUE(one->turn());
  one->finish();
  ASSERT_TRUE(one->turn());
  one->finish();
  EXPECT_EQ(status().stack, "failed");
  EXPECT_EQ(status().message, "no node has /data");
  EXPECT_EQ(deployed.size(), 1U);
}

TEST_F(BoardKeeperTest, AHalfWrittenStackHoldsUpNothingElse) {
  ASSERT_TRUE(board.put_stack({{"compose.yml", "a"}}, "1"));
  ssm.values["/hive/shop/stack/0"] = "{}";
  auto one = keeper();
  EXPECT_FALSE(one->turn());
  EXPECT_EQ(status().managers_ready, 1U);
  EXPECT_THAT(deployed, IsEmpty());
}

}  // namespace
}  // namespace hive::controller
