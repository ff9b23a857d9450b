#include "controller/decision_metrics.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include "controller/prometheus_text.h"

namespace hive::controller {
namespace {

const Json kServices = Json::parse(R"([
  {"service": "shop_web", "state": "held", "replicas": 4, "ready": 3, "wanted": 5, "waiting": 1,
   "min": 2, "max": 9, "load": 4.5, "expected": 4.75, "lead_s": 12.5, "decided_age_s": 0.25,
   "scaled_out": 7, "scaled_in": 2, "signals": {
     "requests": {"value": 120.5, "age_s": 0.5, "fresh": true}, "cpu": {"value": null},
     "metrics": [{"name": "jobs", "value": 38, "age_s": 7, "fresh": false, "trouble": "x"},
                 {"name": "lost", "value": null}]}},
  {"service": "shop_b\"ad", "state": "paused", "load": null}])");

std::string text_of(const Json& services, const Json& workers = Json::object()) {
  prometheus::Registry registry;
  add_autoscale_metrics(registry, services);
  add_worker_metrics(registry, workers);
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

// As an application's own figure would be read.
double value(const std::string& text, const std::string& name,
             const std::map<std::string, std::string>& labels = {{"service", "shop_web"}}) {
  const auto got = figure_in_text(text, TextFormat::kPrometheus, name, labels);
  EXPECT_TRUE(got) << name << ": " << got.error().message;
  return got ? got->value : -1;
}

TEST(DecisionMetrics, TellOfEachService) {
  const auto text = text_of(kServices);
  EXPECT_EQ(value(text, "hive_autoscale_replicas_wanted"), 5);
  EXPECT_EQ(value(text, "hive_autoscale_replicas_ordered"), 4);
  EXPECT_EQ(value(text, "hive_autoscale_replicas_ready"), 3);
  EXPECT_EQ(value(text, "hive_autoscale_replicas_waiting"), 1);
  EXPECT_EQ(value(text, "hive_autoscale_replicas_min"), 2);
  EXPECT_EQ(value(text, "hive_autoscale_replicas_max"), 9);
  EXPECT_EQ(value(text, "hive_autoscale_load"), 4.5);
  EXPECT_EQ(value(text, "hive_autoscale_load_expected"), 4.75);
  EXPECT_EQ(value(text, "hive_autoscale_lead_seconds"), 12.5);
  EXPECT_EQ(value(text, "hive_autoscale_decision_age_seconds"), 0.25);
  EXPECT_EQ(value(text, "hive_autoscale_held"), 1);
  EXPECT_EQ(value(text, "hive_autoscale_paused"), 0);
  EXPECT_EQ(value(text, "hive_autoscale_paused", {{"service", "shop_b\"ad"}}), 1);
  const std::string done = "hive_autoscale_decisions_total";
  EXPECT_EQ(value(text, done, {{"service", "shop_web"}, {"direction", "out"}}), 7);
  EXPECT_EQ(value(text, done, {{"service", "shop_web"}, {"direction", "in"}}), 2);
  EXPECT_TRUE(figure_in_text(text, TextFormat::kPrometheus, done, {})->counter);
}

TEST(DecisionMetrics, TellOfTheSignalsThatAreKnown) {
  const auto text = text_of(kServices);
  EXPECT_EQ(value(text, "hive_autoscale_signal", {{"signal", "requests"}}), 120.5);
  EXPECT_EQ(value(text, "hive_autoscale_signal", {{"signal", "metric:jobs"}}), 38);
  EXPECT_EQ(value(text, "hive_autoscale_signal_age_seconds", {{"signal", "metric:jobs"}}), 7);
  for (const char* name : {"cpu", "metric:lost"})
    EXPECT_FALSE(
        figure_in_text(text, TextFormat::kPrometheus, "hive_autoscale_signal", {{"signal", name}}))
        << name;
}

TEST(DecisionMetrics, WorkersOnlyWhereTheyFollow) {
  const Json workers =
      Json::parse(R"({"follow": true, "workers": 3, "needed": 4, "coming": ["w3"]})");
  const auto text = text_of(Json::array(), workers);
  EXPECT_EQ(value(text, "hive_workers", {}), 3);
  EXPECT_EQ(value(text, "hive_workers_needed", {}), 4);
  EXPECT_EQ(value(text, "hive_workers_coming", {}), 1);
  EXPECT_EQ(text_of(Json::array(), {{"follow", false}}).find("hive_workers"), std::string::npos);
}

}  // namespace
}  // namespace hive::controller
