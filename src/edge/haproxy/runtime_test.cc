#include "edge/haproxy/runtime.h"

#include <gtest/gtest.h>

namespace hive::edge::haproxy {
namespace {

// Columns of HAProxy 2.6 that are read, among others that are not.
constexpr const char* kState =
    "1\n"
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port\n"
    "4 b.shop.all 1 s1 10.0.0.1 2 0 100 32768\n"
    "4 b.shop.all 3 s3 10.0.0.3 2 1 50 32770\n"
    "4 b.shop.all 2 s2 10.0.0.2 2 8 100 32769\n"
    "5 hive.health 1 up 127.0.0.1 2 0 1 1\n"
    "\n";

TEST(HaproxyRuntime, ReadsTheStateOfServersInAnyOrder) {
  const auto state = parse_servers_state(kState);
  ASSERT_TRUE(state) << describe(state.error());
  ASSERT_EQ(state->size(), 1u) << "servers that are no slots are passed over";
  const auto& slots = state->at("b.shop.all");
  ASSERT_EQ(slots.size(), 3u);
  EXPECT_EQ(slots[0], (Slot{"10.0.0.1", 32'768, SlotState::kReady, 100, false}));
  EXPECT_EQ(slots[1], (Slot{"10.0.0.2", 32'769, SlotState::kDrain, 100, false}));
  EXPECT_EQ(slots[2], (Slot{"10.0.0.3", 32'770, SlotState::kMaint, 50, false}));
}

// An answer that is cut off must not look like a proxy without servers.
TEST(HaproxyRuntime, NoCutAnswerPassesForAWholeOne) {
  const std::string whole = kState;
  const auto header = whole.find("srv_port");
  for (std::size_t size = 0; size < header; ++size)
    EXPECT_FALSE(parse_servers_state(whole.substr(0, size))) << size;
  const auto half = whole.substr(0, whole.find("10.0.0.3"));
  ASSERT_FALSE(parse_servers_state(half));
  EXPECT_EQ(parse_servers_state(half).error().code, Errc::kCorrupt);
}

TEST(HaproxyRuntime, RefusesWhatIsNotAState) {
  for (const char* text : {"", "\n", "2\n# be_name\n", "1\nbe_name srv_name\n",
                           "1\n# be_name srv_name srv_addr\n", "Unknown command.\n"})
    EXPECT_FALSE(parse_servers_state(text)) << text;
}

TEST(HaproxyRuntime, ReadsStatisticsByColumnName) {
  const auto rows = parse_stat(
      "# pxname,svname,qcur,scur,stot,bin,bout,econ,hrsp_5xx,rate,rtime,\n"
      "b.shop.all,s1,1,2,300,4000,5000,6,7,8,9,\n"
      "b.shop.all,BACKEND,0,0,0,0,0,,0,0,,\n");
  ASSERT_TRUE(rows) << describe(rows.error());
  ASSERT_EQ(rows->size(), 2u);
  const ServerRow& row = rows->front();
  EXPECT_EQ(row.backend + "/" + row.server, "b.shop.all/s1");
  EXPECT_EQ(row.queued, 1u);
  EXPECT_EQ(row.current, 2u);
  EXPECT_EQ(row.sessions, 300u);
  EXPECT_EQ(row.bytes_in, 4'000u);
  EXPECT_EQ(row.bytes_out, 5'000u);
  EXPECT_EQ(row.connection_errors, 6u);
  EXPECT_EQ(row.errors_5xx, 7u);
  EXPECT_EQ(row.rate, 8u);
  EXPECT_EQ(row.response_time_ms, 9u);
  EXPECT_EQ(rows->back().connection_errors, 0u) << "an empty cell is 0";
}

TEST(HaproxyRuntime, RefusesWhatAreNoStatistics) {
  EXPECT_FALSE(parse_stat(""));
  EXPECT_FALSE(parse_stat("Permission denied\n"));
  EXPECT_FALSE(parse_stat("# pxname,svname\n"));
  EXPECT_FALSE(parse_stat("# pxname,svname,scur,stot\nb.shop.all,s1\n"));
}

TEST(HaproxyRuntime, SlotsAreNumberedFromOne) {
  EXPECT_EQ(slot_index("s1"), 0u);
  EXPECT_EQ(slot_index("s32"), 31u);
  for (const char* other : {"", "s", "s0", "s-1", "s1x", "x1", "up", "s99999999", "BACKEND"})
    EXPECT_EQ(slot_index(other), std::nullopt) << other;
}

TEST(HaproxyRuntime, ReadsItsPid) {
  EXPECT_EQ(parse_pid("Name: HAProxy\nPid: 4711\nUptime: 0d\n").value_or(0), 4711);
  EXPECT_FALSE(parse_pid("Name: HAProxy\n"));
  EXPECT_FALSE(parse_pid("Pid: x\n"));
}

TEST(HaproxyRuntime, CommandsAreJoinedInOrderIntoLinesThatFit) {
  std::vector<std::string> commands;
  commands.reserve(1'000);
  for (int i = 0; i < 1'000; ++i)
    commands.push_back("set server b.shop.all/s" + std::to_string(i) + " state ready");
  const auto lines = batch_commands(commands);
  EXPECT_GT(lines.size(), 1u);
  std::string all;
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), 8'000u);
    all += (all.empty() ? "" : ";") + line;
  }
  std::string expected;
  for (const std::string& command : commands) expected += (expected.empty() ? "" : ";") + command;
  EXPECT_EQ(all, expected);
  EXPECT_TRUE(batch_commands({}).empty());
}

TEST(HaproxyRuntime, NobodyAtTheSocketIsUnavailable) {
  const auto answer = ask("/nonexistent/socket", "show info", Milliseconds(100));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kUnavailable);
  const auto longer = ask(std::string(200, 'x'), "show info", Milliseconds(100));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace hive::edge::haproxy
