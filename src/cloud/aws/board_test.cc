#include "cloud/aws/board.h"

#include <gmock/gmock.h>

#include "cloud/aws/testing/parameters.h"
#include "net/testing/scripted_server.h"

namespace hive::cloud::aws {
namespace {

using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;
using ::testing::HasSubstr;
using testing::Parameters;

class BoardTest : public ::testing::Test {
 protected:
  BoardTest()
      : server_(ScriptedServer::Kind::kTcp,
                [this](const ScriptedRequest& request) {
                  const auto out = ssm.answer(request.headers.at("x-amz-target"), request.body);
                  return net::testing::json_answer(out.status, out.body);
                }),
        client_({.region = "eu-central-1",
                 .environment = {{"AWS_ENDPOINT_URL",
                                  "http://127.0.0.1:" + std::to_string(server_.port())},
                                 {"AWS_ACCESS_KEY_ID", "a"},
                                 {"AWS_SECRET_ACCESS_KEY", "b"}},
                 .clock = &clock_,
                 .max_attempts = 1,
                 .pause = [](Milliseconds) { return false; }}),
        board(client_, Names("shop")) {}

  Parameters ssm;

 private:
  ManualClock clock_;
  ScriptedServer server_;
  Client client_;

 protected:
  Board board;
};

TEST_F(BoardTest, TheFirstFounderStays) {
  EXPECT_EQ(*board.founder(), std::nullopt);
  EXPECT_EQ(*board.found("i-1"), "i-1");
  EXPECT_EQ(*board.found("i-2"), "i-1");
  ASSERT_TRUE(board.forget_founder());
  ASSERT_TRUE(board.forget_founder());
  EXPECT_EQ(*board.found("i-2"), "i-2");
}

TEST_F(BoardTest, TheSwarmsPlaceAndStatusAreReadAsWritten) {
  EXPECT_EQ(*board.swarm(), std::nullopt);
  const SwarmPlace place{"swarm-1", "-----BEGIN CERTIFICATE-----", {"10.0.0.1", "10.0.0.2"}};
  ASSERT_TRUE(board.put_swarm(place));
  EXPECT_EQ(**board.swarm(), place);
  ClusterStatus status{.swarm = "swarm-1", .managers_ready = 3, .unix_s = 7};
  for (int i = 0; i < 200; ++i) status.waiting.push_back("shop-worker-" + std::to_string(i));
  status.message = std::string(10'000, 'x');
  ASSERT_TRUE(board.put_status(status));
  const auto read = board.status();
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->managers_ready, 3U);
  EXPECT_EQ((*read)->waiting.size(), 10U);
  ssm.values["/hive/shop/swarm"] = "garbage";
  EXPECT_EQ(board.swarm().error().code, Errc::kCorrupt);
}

TEST_F(BoardTest, AStackOfSeveralPiecesIsReadWholeOrNotAtAll) {
  EXPECT_EQ(*board.stack(), std::nullopt);
  const StackFiles files{{"compose.yml", std::string(9'000, 'a')}, {"secret", "b"}};
  ASSERT_TRUE(board.put_stack(files, "1"));
  const auto read = board.stack();
  ASSERT_TRUE(read && *read) << read.error().message;
  EXPECT_EQ((*read)->files, files);
  EXPECT_EQ(**board.stack_revision(), revision_of(files, "1"));
  // Another stack's pieces under this one's head: somebody is just writing.
  const auto head = ssm.values["/hive/shop/stack"];
  ASSERT_TRUE(board.put_stack({{"compose.yml", std::string(9'000, 'c')}, {"secret", "b"}}, "1"));
  ssm.values["/hive/shop/stack"] = head;
  EXPECT_EQ(board.stack().error().code, Errc::kCorrupt);
}

TEST_F(BoardTest, ASmallerStackLeavesNoPieceBehind) {
  ASSERT_TRUE(board.put_stack({{"a", std::string(20'000, 'a')}}, "1"));
  ASSERT_TRUE(board.put_stack({{"a", "b"}}, "1"));
  EXPECT_EQ(ssm.values.size(), 2U);
  EXPECT_THAT(board.put_stack({{"a", std::string(500'000, 'a')}}, "1").error().message,
              HasSubstr("notice board takes"));
}

TEST_F(BoardTest, ClearingLeavesNothing) {
  ASSERT_TRUE(board.found("i-1"));
  ASSERT_TRUE(board.put_stack({{"a", std::string(20'000, 'a')}}, "1"));
  ssm.values.erase("/hive/shop/stack");  // killed before the head was written
  ASSERT_TRUE(board.clear());
  EXPECT_TRUE(ssm.values.empty());
  ASSERT_TRUE(board.clear());
}

}  // namespace
}  // namespace hive::cloud::aws
