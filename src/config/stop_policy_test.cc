#include "config/stop_policy.h"

#include "config/test_support.h"

namespace hive::config {
namespace {

using std::chrono::seconds;

TEST(StopPolicy, HasDefaultsForWhatTheFileLeavesOut) {
  EXPECT_EQ(stop_policy(load_service("    x-hive: {max_connections: 3}")), model::StopPolicy{});
  const auto policy = stop_policy(load_service("    x-hive: {drain: {pre_stop: flush}}"));
  EXPECT_EQ(policy.drain, seconds(30));
  EXPECT_EQ(policy.hooks, seconds(30));
  EXPECT_EQ(policy.stop, seconds(30));
  EXPECT_EQ(policy.flush, seconds(30));
}

TEST(StopPolicy, TakesEachDeadlineAndCommand) {
  const auto policy = stop_policy(load_service(
      "    x-hive: {drain: {timeout: 1m, pre_stop: [a, b], hooks_timeout: 2s, stop_command: c d, "
      "stop_timeout: 1500us, flush_timeout: 4s}}"));
  const model::StopPolicy expected{.drain = seconds(60),
                                   .pre_stop = {"a", "b"},
                                   .hooks = seconds(2),
                                   .stop_command = {"c", "d"},
                                   .stop = Milliseconds(2),  // rounded up: never none
                                   .flush = seconds(4)};
  EXPECT_EQ(policy, expected);
  EXPECT_EQ(model::grace_period(policy), seconds(60 + 2 + 4 + 5) + Milliseconds(2));
}

TEST(StopPolicy, HooksCountOnlyWhereThereAreSome) {
  EXPECT_EQ(model::grace_period({}), seconds(95));
  EXPECT_EQ(model::grace_period({.pre_stop = {"x"}}), seconds(125));
}

}  // namespace
}  // namespace hive::config
