#include "cli/stray_canaries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::cli {
namespace {

using testing::HasSubstr;

class StrayCanaries : public testing::Test {
 protected:
  StrayCanaries() {
    services.resize(2);
    services[0].id = "s1";
    services[0].name = "shop_web";
    services[1].id = "s2";
    services[1].name = "shop_web-canary";
    services[1].labels["hive.canary.of"] = "s1";
  }
  static Json rollout(const char* outcome) {
    return Json::array(
        {{{"kind", "rollout"}, {"outcome", outcome}, {"request", {{"service", "s1"}}}}});
  }
  std::vector<model::Service> services;
};

TEST_F(StrayCanaries, OneOfARolloutThatGoesOnIsNone) {
  EXPECT_TRUE(stray_canaries(services, rollout("running")).empty());
}

TEST_F(StrayCanaries, OneThatNoRolloutKnowsIsNamedWithWhatItIsOf) {
  for (const Json& operations : {Json::array(), rollout("failed")}) {
    const auto found = stray_canaries(services, operations);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].fault);
    EXPECT_THAT(found[0].what,
                HasSubstr("shop_web-canary is the canary of shop_web, and no rollout"));
    EXPECT_THAT(found[0].hint, HasSubstr("hive service rm shop_web-canary"));
  }
}

TEST_F(StrayCanaries, WithoutAControllersWordItIsNamedToo) {
  services.erase(services.begin());
  const auto found = stray_canaries(services, nullptr);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, HasSubstr("a service that is gone, and no controller tells"));
}

TEST_F(StrayCanaries, OtherServicesAreNone) {
  services.pop_back();
  EXPECT_TRUE(stray_canaries(services, Json::array()).empty());
}

}  // namespace
}  // namespace hive::cli
