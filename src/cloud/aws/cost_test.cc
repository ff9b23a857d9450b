#include "cloud/aws/cost.h"

#include <gmock/gmock.h>

namespace hive::cloud::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Settings priced_settings() {
  Settings out;
  out.managers = 3;
  out.manager_type = "t3.medium";
  out.workers_min = 2;
  out.workers_max = 8;
  out.worker_types = {"m5.large", "m5a.large"};
  out.disk_gib = 30;
  return out;
}

TEST(Cost, OfListPrices) {
  const auto lines = estimate(priced_settings(), {});
  EXPECT_NEAR(lines[0].least, 3 * 0.0416 * 730, 0.01);
  EXPECT_NEAR(lines[1].least, 2 * 0.096 * 730, 0.01);  // the dearer of the two
  EXPECT_NEAR(lines[1].most, 8 * 0.096 * 730, 0.01);
  EXPECT_NEAR(lines[2].most, 11 * 30 * 0.08, 0.01);
  EXPECT_THAT(render(lines), HasSubstr("2 to 8 workers, m5.large"));
}

TEST(Cost, OfTheBalancersType) {
  EXPECT_NEAR(estimate(priced_settings(), {})[3].least, 0.025 * 730, 0.01);
  auto other = priced_settings();
  other.balancer = BalancerType::kNetwork;
  const auto lines = estimate(other, {});
  EXPECT_NEAR(lines[3].most, 0.0225 * 730, 0.01);
  EXPECT_THAT(render(lines), HasSubstr("Network Load Balancer, without NLCUs"));
}

TEST(Cost, OfTheWarmPool) {
  auto other = priced_settings();
  other.warm_workers = 2;
  const auto stopped = estimate(other, {});
  EXPECT_EQ(stopped.size(), 5U);
  EXPECT_NEAR(stopped[2].least, (3 + 2 + 2) * 30 * 0.08, 0.01) << "stopped, it has its disk alone";
  EXPECT_NEAR(stopped[4].least, (3 + 2) * 0.005 * 730, 0.01);
  other.warm_running = true;
  const auto running = estimate(other, {});
  EXPECT_NEAR(running[4].most, (3 + 8 + 2) * 0.005 * 730, 0.01);
  EXPECT_NEAR(running[5].least, 2 * 0.096 * 730, 0.01);
  EXPECT_THAT(render(running), HasSubstr("2 running in the warm pool, m5.large"));
}

TEST(Cost, OfTheQuestionsToCloudWatch) {
  EXPECT_THAT(render(estimate(priced_settings(), {})), Not(HasSubstr("CloudWatch")));
  auto other = priced_settings();
  other.balancer_figures = 1;
  const auto lines = estimate(other, {});
  // A minute's question is charged by the figure and by HealthyHostCount.
  EXPECT_NEAR(lines.back().least, 60 * 730 * 2 * 0.00001, 0.0001);
  EXPECT_EQ(lines.back().least, lines.back().most);
  EXPECT_THAT(render(lines), HasSubstr("CloudWatch, asked each minute for 2 metrics"));
  other.balancer_figures = 4;
  EXPECT_NEAR(estimate(other, {}).back().most, 2.19, 0.001);
}

TEST(Cost, OwnPricesComeFirst) {
  EXPECT_NEAR(estimate(priced_settings(), {{"t3.medium", 1}})[0].least, 3 * 730, 0.01);
}

TEST(Cost, AnUnknownTypeIsSaid) {
  auto other = priced_settings();
  other.manager_type = "z99.huge";
  EXPECT_THAT(render(estimate(other, {})), HasSubstr("the price is not known"));
}

}  // namespace
}  // namespace hive::cloud::aws
