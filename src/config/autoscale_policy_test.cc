#include "config/autoscale_policy.h"

#include "config/test_support.h"

namespace hive::config {
namespace {

decide::autoscale::Policy of_file(const std::string& autoscale) {
  return autoscale_policy(
      *load_service("    x-hive: {autoscale: " + autoscale + "}").hive->autoscale);
}

TEST(AutoscalePolicy, HasTheRulesDefaultsForWhatTheFileLeavesOut) {
  const auto policy = of_file("{min: 2, max: 40}");
  EXPECT_EQ(policy.min, 2);
  EXPECT_EQ(policy.max, 40);
  EXPECT_TRUE(policy.predict);
  EXPECT_FALSE(policy.target.requests_per_replica || policy.target.concurrency ||
               policy.target.cpu || policy.target.memory || policy.target.latency_s);
  EXPECT_FALSE(policy.out_per_minute || policy.in_per_minute);
  EXPECT_EQ(policy.stabilise_in_s, 0);
  EXPECT_EQ(policy.stabilise_out_s, 0);
  EXPECT_EQ(policy.cooldown_in_s, 0);
  EXPECT_EQ(policy.cooldown_out_s, 0);
  EXPECT_TRUE(policy.schedules.empty());
}

TEST(AutoscalePolicy, TakesEachKeyInItsUnit) {
  const auto policy = of_file(
      "{min: 1, max: 9, predict: false, target: {requests_per_replica: 12.5, concurrency: 8, "
      "cpu: 60%, memory: 80%, latency: 250ms}, limits: {out_per_minute: 6, in_per_minute: 3}, "
      "stabilisation: {in: 5m, out: 1500ms}, scale_in_cooldown: 2m, scale_out_cooldown: 30s}");
  EXPECT_FALSE(policy.predict);
  EXPECT_EQ(policy.target.requests_per_replica, 12.5);
  EXPECT_EQ(policy.target.concurrency, 8);
  EXPECT_EQ(policy.target.cpu, 0.6);
  EXPECT_EQ(policy.target.memory, 0.8);
  EXPECT_EQ(policy.target.latency_s, 0.25);
  EXPECT_EQ(policy.out_per_minute, 6);
  EXPECT_EQ(policy.in_per_minute, 3);
  EXPECT_EQ(policy.stabilise_in_s, 300);
  EXPECT_EQ(policy.stabilise_out_s, 1.5);
  EXPECT_EQ(policy.cooldown_in_s, 120);
  EXPECT_EQ(policy.cooldown_out_s, 30);
}

TEST(AutoscalePolicy, TakesFiguresOfTheApplicationsOwn) {
  const auto policy = of_file(
      "{max: 9, target: {metrics: [{name: jobs, per_replica: 20}, {name: queue, per_replica: 2.5, "
      "server: \"http://p:9090\", query: sum(q)}]}}");
  ASSERT_EQ(policy.target.metrics.size(), 2U);
  EXPECT_EQ(policy.target.metrics[0].name, "jobs");
  EXPECT_EQ(policy.target.metrics[0].per_replica, 20);
  EXPECT_EQ(policy.target.metrics[1].name, "queue");
  EXPECT_EQ(policy.target.metrics[1].per_replica, 2.5);
}

TEST(AutoscalePolicy, TakesFiguresOfTheBalancer) {
  using decide::autoscale::MetricUse;
  const auto policy = of_file(
      "{max: 9, target: {metrics: [{name: a, cloudwatch: RequestCount, per_replica: 20}, {name: b, "
      "cloudwatch: Latency, at_most: 400ms}, {name: c, cloudwatch: SurgeQueueLength, per_replica: "
      "50}, {name: d, cloudwatch: SpilloverCount, per_replica: 5}]}}");
  const auto& metrics = policy.target.metrics;
  ASSERT_EQ(metrics.size(), 4U);
  EXPECT_EQ(metrics[0].use, MetricUse::kShare);
  EXPECT_EQ(metrics[0].per_replica, 20);
  EXPECT_EQ(metrics[1].use, MetricUse::kLimit);
  EXPECT_EQ(metrics[1].per_replica, 0.4) << "seconds";
  EXPECT_EQ(metrics[2].use, MetricUse::kMore);
  EXPECT_EQ(metrics[2].per_replica, 50);
  EXPECT_EQ(metrics[3].use, MetricUse::kMore);
  for (const auto& one : metrics) EXPECT_EQ(one.over_s, 60);
  EXPECT_FALSE(policy.target.carries_nothing());
  EXPECT_TRUE(of_file("{max: 9, target: {metrics: [{name: b, cloudwatch: Latency, at_most: 1s}]}}")
                  .target.carries_nothing());
}

TEST(AutoscalePolicy, AFigureOfTheBalancerIsAskedForOnceForAllServices) {
  const std::string requests = "{name: a, cloudwatch: RequestCount, per_replica: 20}";
  const auto service = [](const std::string& name, const std::string& metrics) {
    return "  " + name + ": {image: x, x-hive: {autoscale: {max: 9, target: {metrics: [" + metrics +
           "]}}}}\n";
  };
  const auto spec =
      load_text("version: '3.8'\nservices:\n" + service("one", requests) +
                service("two", requests + ", {name: b, cloudwatch: Latency, at_most: 1s}") +
                service("three", "{name: c, per_replica: 5}") + "  four: {image: x}\n")
          .spec;
  EXPECT_EQ(cloudwatch_figures(spec), (std::set<std::string>{"Latency", "RequestCount"}));
}

TEST(AutoscalePolicy, TakesSchedules) {
  const auto policy = of_file(
      "{min: 1, max: 9, schedules: [{cron: \"0 8 * * mon-fri\", zone: Asia/Tokyo, duration: 9h, "
      "min: 4, max: 20}]}");
  ASSERT_EQ(policy.schedules.size(), 1U);
  const auto& schedule = policy.schedules.front();
  EXPECT_EQ(schedule.zone, "Asia/Tokyo");
  EXPECT_EQ(schedule.duration_s, 9 * 3600);
  EXPECT_EQ(schedule.min, 4);
  EXPECT_EQ(schedule.max, 20);
  EXPECT_TRUE(schedule.cron.hours.test(8));
  EXPECT_FALSE(schedule.cron.weekdays.test(0));
}

}  // namespace
}  // namespace hive::config
