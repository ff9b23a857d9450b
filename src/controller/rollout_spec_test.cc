#include "controller/rollout_spec.h"

#include <gtest/gtest.h>

#include "controller/routing.h"
#include "model/autoscale.h"

namespace hive::controller {
namespace {

Json spec(const std::string& image, int replicas = 3) {
  return {{"Name", "web"},
          {"Labels", {{"com.docker.stack.namespace", "shop"}, {"hive.listeners", "[]"}}},
          {"TaskTemplate", {{"ContainerSpec", {{"Image", image}}}}},
          {"Mode", {{"Replicated", {{"Replicas", replicas}}}}}};
}

RolloutRequest request(Json wanted) {
  RolloutRequest out;
  out.service_id = "s1";
  out.service_name = "web";
  out.spec = std::move(wanted);
  return out;
}

TEST(RolloutSpec, NewTasksStartFirstUnlessTheServiceSaysOtherwise) {
  const auto order = [](const Json& wanted) {
    return json_string(forward_spec(request(wanted), wanted, "op.f1"), "UpdateConfig.Order");
  };
  Json plain = spec("web:2");
  EXPECT_EQ(order(plain), "start-first");
  plain["UpdateConfig"] = {{"Order", "stop-first"}};
  EXPECT_EQ(order(plain), "stop-first");
  Json fixed = spec("web:2");
  fixed["EndpointSpec"]["Ports"] = {{{"PublishMode", "host"}, {"PublishedPort", 80}}};
  EXPECT_EQ(order(fixed), "stop-first");
  fixed["EndpointSpec"]["Ports"][0].erase("PublishedPort");
  EXPECT_EQ(order(fixed), "start-first");
  Json everywhere = spec("web:2");
  everywhere["Mode"] = {{"Global", Json::object()}};
  EXPECT_EQ(order(everywhere), "stop-first");
}

TEST(RolloutSpec, HiveDecidesWhatAFailureMeansAndOtherSettingsStay) {
  Json wanted = spec("web:2");
  wanted["UpdateConfig"] = {{"FailureAction", "rollback"}, {"Parallelism", 2}, {"Delay", 5}};
  const Json written = forward_spec(request(wanted), wanted, "op.f1");
  EXPECT_EQ(json_string(written, "UpdateConfig.FailureAction"), "pause");
  EXPECT_EQ(json_int(written, "UpdateConfig.Parallelism"), 2);
  EXPECT_EQ(json_int(written, "UpdateConfig.Delay"), 5);
  EXPECT_TRUE(needs_settling(wanted, written));
  const Json settled = settled_spec(wanted, written, "op.d1");
  EXPECT_EQ(settled["UpdateConfig"], wanted["UpdateConfig"]);
  EXPECT_EQ(settled["Labels"]["hive.rollout"], "op.d1");
}

TEST(RolloutSpec, WhatSwarmAssumesAnywayNeedsNoSecondWrite) {
  Json wanted = spec("web:2");
  wanted["UpdateConfig"] = {{"Order", "start-first"}, {"Parallelism", 1}};
  EXPECT_FALSE(needs_settling(wanted, forward_spec(request(wanted), wanted, "op.f1")));
}

TEST(RolloutSpec, AScaleInTheMeantimeIsKept) {
  const Json now = spec("web:1", 7);
  auto asked = request(spec("web:2", 3));
  EXPECT_EQ(json_int(forward_spec(asked, now, "m"), "Mode.Replicated.Replicas"), 7);
  asked.replicas = true;
  EXPECT_EQ(json_int(forward_spec(asked, now, "m"), "Mode.Replicated.Replicas"), 3);
  EXPECT_EQ(base_digest(spec("web:1", 3)), base_digest(now));
  EXPECT_NE(base_digest(spec("web:1", 3)), base_digest(spec("web:2", 3)));
}

TEST(RolloutSpec, TheWayBackKeepsTodaysNumberUnlessTheRolloutChangedIt) {
  auto asked = request(spec("web:2", 5));
  EXPECT_EQ(json_int(back_spec(asked, spec("web:1", 3), spec("web:2", 8), "m"),
                     "Mode.Replicated.Replicas"),
            8);
  asked.replicas = true;
  EXPECT_EQ(json_int(back_spec(asked, spec("web:1", 3), spec("web:2", 5), "m"),
                     "Mode.Replicated.Replicas"),
            3);
  EXPECT_EQ(json_int(back_spec(asked, spec("web:1", 3), spec("web:2", 8), "m"),
                     "Mode.Replicated.Replicas"),
            8);
}

TEST(RolloutSpec, PausedAutoscalingIsNoPartOfAVersion) {
  const std::string paused = model::kAutoscalePausedLabel;
  Json now = spec("web:1", 3);
  now["Labels"][paused] = "scaled by hand";
  EXPECT_EQ(base_digest(now), base_digest(spec("web:1", 3)));
  auto asked = request(spec("web:2", 3));
  EXPECT_EQ(forward_spec(asked, now, "m")["Labels"][paused], "scaled by hand");
  EXPECT_EQ(back_spec(asked, spec("web:1"), now, "m")["Labels"][paused], "scaled by hand");
  asked.spec["Labels"][paused] = "long ago";
  EXPECT_FALSE(forward_spec(asked, spec("web:1"), "m")["Labels"].contains(paused));
  EXPECT_FALSE(back_spec(asked, now, spec("web:2"), "m")["Labels"].contains(paused));
}

TEST(RolloutSpec, AnUpdateThatSetsTheNumberPausesItsAutoscaling) {
  Json wanted = spec("web:2", 9);
  wanted["Labels"][kHiveLabel] = R"({"autoscale":{"max":9}})";
  auto asked = request(wanted);
  const auto paused = [&] {
    return forward_spec(asked, spec("web:1"), "m")["Labels"].contains(model::kAutoscalePausedLabel);
  };
  EXPECT_FALSE(paused());
  asked.replicas = true;
  EXPECT_TRUE(paused());
  asked.spec["Labels"][kHiveLabel] = R"({"autoscale":{"max":9,"dry_run":true}})";
  EXPECT_FALSE(paused());
  asked.spec["Labels"][kHiveLabel] = R"({"health":{"path":"/up"}})";
  EXPECT_FALSE(paused());
}

TEST(RolloutSpec, TheWayBackFollowsRollbackConfigAndIsNotStopped) {
  Json good = spec("web:1");
  good["RollbackConfig"] = {{"Parallelism", 4}, {"Order", "start-first"}};
  const Json back = back_spec(request(spec("web:2")), good, spec("web:2"), "op.b1");
  EXPECT_EQ(json_int(back, "UpdateConfig.Parallelism"), 4);
  EXPECT_EQ(json_string(back, "UpdateConfig.FailureAction"), "continue");
  EXPECT_EQ(json_string(back, "TaskTemplate.ContainerSpec.Image"), "web:1");
}

TEST(RolloutSpec, ACanaryIsAServiceOfItsOwn) {
  Json wanted = spec("web:2", 9);
  wanted["Labels"][kHiveLabel] = R"({"autoscale":{"max":9},"health":{"path":"/up"}})";
  wanted["EndpointSpec"]["Ports"] = {{{"PublishMode", "host"}, {"TargetPort", 80}},
                                     {{"PublishMode", "ingress"}, {"PublishedPort", 53}}};
  auto asked = request(wanted);
  asked.canary_weight = 25;
  const Json canary = canary_spec(asked, "op");
  EXPECT_EQ(json_string(canary, "Name"), "web-canary");
  EXPECT_EQ(json_int(canary, "Mode.Replicated.Replicas"), 1);
  const Json& labels = canary["Labels"];
  EXPECT_FALSE(labels.contains("com.docker.stack.namespace"));
  EXPECT_EQ(labels[kHiveLabel], R"({"health":{"path":"/up"}})");
  EXPECT_EQ(labels[kCanaryOfLabel], "s1");
  EXPECT_EQ(labels[kCanaryPercentLabel], "25");
  EXPECT_EQ(canary["EndpointSpec"]["Ports"].size(), 1U);
}

TEST(RolloutSpec, ACanarysNameFits) {
  EXPECT_EQ(canary_name(std::string(63, 'x')).size(), 63U);
  EXPECT_EQ(canary_name(std::string(55, 'x') + "-y-z-long"), std::string(55, 'x') + "-canary");
}

TEST(RolloutSpec, TheFilesDefaultsGiveWayToWhatIsAsked) {
  config::Rollout file;
  file.canary = std::chrono::seconds(30);
  file.canary_weight = 20;
  file.max_error_rate = 0.05;
  auto asked = request(spec("web:2"));
  apply_defaults(file, Json::object(), asked);
  EXPECT_EQ(asked.canary_ms, 30'000);
  EXPECT_EQ(asked.canary_weight, 20U);
  EXPECT_DOUBLE_EQ(asked.max_error_rate, 0.05);
  asked = request(spec("web:2"));
  apply_defaults(file, Json{{"canary_ms", 0}, {"canary_weight", 1}}, asked);
  EXPECT_EQ(asked.canary_ms, 0);
}

TEST(RolloutSpec, AStopFirstServiceGetsNoCanaryFromItsFile) {
  config::Rollout file;
  file.canary = std::chrono::seconds(30);
  Json wanted = spec("web:2");
  wanted["UpdateConfig"] = {{"Order", "stop-first"}};
  auto asked = request(wanted);
  apply_defaults(file, Json::object(), asked);
  EXPECT_EQ(asked.canary_ms, 0);
}

TEST(RolloutSpec, ARequestSurvivesBeingWrittenDown) {
  auto asked = request(spec("web:2"));
  asked.why = "update";
  asked.canary_ms = 5;
  asked.max_latency_factor = 2.5;
  EXPECT_EQ(rollout_json(rollout_request(rollout_json(asked))), rollout_json(asked));
}

}  // namespace
}  // namespace hive::controller
