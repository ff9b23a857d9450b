// x-hive.rollout of a service.
#include <gmock/gmock.h>

#include "config/test_support.h"

namespace hive::config {
namespace {

using testing::HasSubstr;

std::string faults(const std::string& rollout) {
  const auto loaded = load(
      {{"hive.yml", "version: '3.8'\nservices:\n  web:\n    image: a\n    x-hive: {rollout: {" +
                        rollout + "}}\n"}},
      test_options());
  return loaded ? "" : render(loaded.error());
}

TEST(Rollout, IsAbsentUnlessTheFileHasIt) {
  EXPECT_FALSE(load_service("    x-hive: {max_connections: 3}").hive->rollout);
  const auto rollout = load_service("    x-hive: {rollout: {canary: 1m}}").hive->rollout;
  ASSERT_TRUE(rollout);
  EXPECT_EQ(*rollout->canary, std::chrono::minutes(1));
  EXPECT_EQ(rollout->canary_weight, 10U);
  EXPECT_EQ(rollout->canary_replicas, 1U);
  EXPECT_FALSE(rollout->max_error_rate);
}

TEST(Rollout, TakesEverySetting) {
  const auto rollout = load_service(
                           "    x-hive: {rollout: {canary: 90s, canary_weight: 25, "
                           "canary_replicas: 2, max_error_rate: 0.5%, max_latency_factor: 1.5, "
                           "start_timeout: 10m}}")
                           .hive->rollout;
  ASSERT_TRUE(rollout);
  EXPECT_EQ(rollout->canary_weight, 25U);
  EXPECT_EQ(rollout->canary_replicas, 2U);
  EXPECT_DOUBLE_EQ(*rollout->max_error_rate, 0.005);
  EXPECT_DOUBLE_EQ(*rollout->max_latency_factor, 1.5);
  EXPECT_EQ(*rollout->start_timeout, std::chrono::minutes(10));
}

TEST(Rollout, SaysWhatCannotBe) {
  EXPECT_THAT(faults("canary_weight: 0"), HasSubstr("canary_weight is 0: it must be 1 to 100"));
  EXPECT_THAT(faults("canary_replicas: 5000"), HasSubstr("must be 1 to 1000"));
  EXPECT_THAT(faults("max_error_rate: 5"), HasSubstr("must be more than 0% and at most 100%"));
  EXPECT_THAT(faults("max_latency_factor: 0"), HasSubstr("must be more than 0"));
  EXPECT_THAT(faults("canary: 30d"), HasSubstr("canary"));
  EXPECT_THAT(faults("canari: 30s"), HasSubstr("canary"));
}

}  // namespace
}  // namespace hive::config
