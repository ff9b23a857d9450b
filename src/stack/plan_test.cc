// From a Compose file to a swarm and back to nothing, on the engine in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/compose.h"
#include "engine/fake/fake_engine.h"
#include "stack/deploy.h"

namespace hive::stack {
namespace {

using engine::fake::FakeEngine;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kTwo = R"(
version: "3.8"
services:
  web:
    image: shop:1
    ports: ["80:8080"]
    networks: [front]
    configs: [settings]
    secrets: [key]
    deploy: {replicas: 2}
  db:
    image: db:1
    networks: [front]
networks: {front: {}}
configs: {settings: {file: ./settings}}
secrets: {key: {file: ./key}}
)";

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    options_.stack = "shop";
    options_.read_file = [this](const std::string&) -> Result<std::string> { return content_; };
  }
  // Fails the test where the text has faults.
  Result<Plan> planned(const std::string& text) {
    config::LoadOptions load_options;
    load_options.working_dir = "/work";
    const auto loaded = config::load({{"hive.yml", text}}, load_options);
    if (!loaded) {
      ADD_FAILURE() << config::render(loaded.error());
      return fail(Errc::kInvalidArgument, "the test's own file has faults");
    }
    return make_plan(engine_, loaded->spec, options_);
  }
  Outcome deploy(const std::string& text) {
    const auto plan = planned(text);
    EXPECT_TRUE(plan) << describe(plan.error());
    if (!plan) return {};
    const auto outcome = apply(engine_, *plan);
    EXPECT_TRUE(outcome) << describe(outcome.error());
    return outcome.value_or(Outcome{});
  }
  static std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
  }
  static std::vector<std::string> changes(const Plan& plan) {
    std::vector<std::string> out;
    for (const Action& action : plan.actions)
      if (action.verb != Verb::kUnchanged)
        out.push_back(std::string(to_string(action.verb)) + " " +
                      std::string(to_string(action.kind)) + " " + action.name);
    return out;
  }
  Json service(const std::string& name) { return engine_.inspect_service(name).value_or(Json()); }

  FakeEngine engine_;
  DeployOptions options_;
  std::string content_ = "content";
};

TEST_F(PlanTest, WhatServicesNeedIsMadeBeforeThem) {
  const auto plan = planned(kTwo);
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_THAT(changes(*plan), ElementsAre("create network shop_front", "create secret shop_key",
                                          "create config shop_settings", "create service shop_db",
                                          "create service shop_web"));
}

TEST_F(PlanTest, ASecondDeployFindsNothingToDo) {
  EXPECT_EQ(deploy(kTwo).created, 5u);
  const auto again = planned(kTwo);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_TRUE(again->changes_nothing()) << render(*again);
  engine_.clear_calls();
  EXPECT_EQ(deploy(kTwo).unchanged, 5u);
  for (const std::string& call : engine_.calls())
    EXPECT_THAT(call, testing::Not(testing::StartsWith("update_service"))) << call;
}

TEST_F(PlanTest, AChangeIsOfThatServiceAloneAndNamed) {
  deploy(kTwo);
  const auto plan = planned(replaced(kTwo, "replicas: 2", "replicas: 3"));
  ASSERT_TRUE(plan);
  EXPECT_THAT(changes(*plan), ElementsAre("update service shop_web"));
  EXPECT_THAT(render(*plan), HasSubstr("differs in Mode.Replicated.Replicas"));
}

TEST_F(PlanTest, ReferencesGetTheIdsThatTheEngineGave) {
  deploy(kTwo);
  const Json web = service("shop_web");
  const Json* container = json_path(web, "Spec.TaskTemplate.ContainerSpec");
  ASSERT_NE(container, nullptr) << web.dump(2);
  EXPECT_FALSE((*container)["Secrets"][0]["SecretID"].get<std::string>().empty());
  EXPECT_FALSE((*container)["Configs"][0]["ConfigID"].get<std::string>().empty());
}

TEST_F(PlanTest, WhatTheFileHasNoMoreGoesOnlyWhenPruned) {
  deploy(kTwo);
  const std::string one = replaced(kTwo, "  db:\n    image: db:1\n    networks: [front]\n", "");
  EXPECT_THAT(changes(*planned(one)), IsEmpty());
  options_.prune = true;
  EXPECT_THAT(changes(*planned(one)), ElementsAre("remove service shop_db"));
  EXPECT_EQ(deploy(one).removed, 1u);
  EXPECT_TRUE(service("shop_db").is_null());
  EXPECT_FALSE(service("shop_web").is_null());
}

TEST_F(PlanTest, APlanThatWasCutShortIsContinued) {
  engine_.fail_next("create_service", Error{Errc::kUnavailable, "no leader", {}});
  const auto plan = planned(kTwo);
  ASSERT_TRUE(plan);
  const auto cut = apply(engine_, *plan);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::kUnavailable);
  EXPECT_THAT(describe(cut.error()), HasSubstr("service shop_db"));
  EXPECT_THAT(changes(*planned(kTwo)),
              ElementsAre("create service shop_db", "create service shop_web"));
  EXPECT_EQ(deploy(kTwo).created, 2u);
}

TEST_F(PlanTest, SomebodyElsesWriteAtTheSameMomentIsNoFailure) {
  deploy(kTwo);
  engine_.fail_next("update_service", Error{Errc::kConflict, "update out of sequence", {}});
  EXPECT_EQ(deploy(replaced(kTwo, "shop:1", "shop:2")).updated, 1u);
  EXPECT_THAT(service("shop_web").dump(), HasSubstr("shop:2"));
}

TEST_F(PlanTest, AnAutoscaledServiceKeepsItsSizeWithinTheNewBounds) {
  const std::string scaled =
      replaced(kTwo, "deploy: {replicas: 2}",
               "deploy: {replicas: 2}\n    x-hive: {autoscale: {min: 2, max: "
               "9, target: {cpu: 60%}}}");
  deploy(scaled);
  Json web = service("shop_web");
  web["Spec"]["Mode"]["Replicated"]["Replicas"] = 7U;
  ASSERT_TRUE(engine_.update_service(json_string(web, "ID"),
                                     static_cast<std::uint64_t>(json_int(web, "Version.Index")),
                                     web["Spec"], {}));
  EXPECT_THAT(changes(*planned(scaled)), IsEmpty());
  deploy(replaced(scaled, "shop:1", "shop:2"));
  EXPECT_EQ(json_int(service("shop_web"), "Spec.Mode.Replicated.Replicas"), 7);
  deploy(replaced(scaled, "max: 9", "max: 5"));
  EXPECT_EQ(json_int(service("shop_web"), "Spec.Mode.Replicated.Replicas"), 5);
}

// The label by which autoscaling is paused is no word of the file's, and none of its differences.
TEST_F(PlanTest, APausedAutoscaleStaysPausedAndAResumedOneResumed) {
  const std::string scaled =
      replaced(kTwo, "deploy: {replicas: 2}", "x-hive: {autoscale: {min: 2, max: 9}}");
  deploy(scaled);
  const auto set_pause = [&](bool paused) {
    Json web = service("shop_web");
    if (paused)
      web["Spec"]["Labels"]["hive.autoscale.paused"] = "scaled by hand";
    else
      web["Spec"]["Labels"].erase("hive.autoscale.paused");
    ASSERT_TRUE(engine_.update_service(json_string(web, "ID"),
                                       static_cast<std::uint64_t>(json_int(web, "Version.Index")),
                                       web["Spec"], {}));
  };
  set_pause(true);
  EXPECT_THAT(changes(*planned(scaled)), IsEmpty());
  deploy(replaced(scaled, "shop:1", "shop:2"));
  EXPECT_EQ(service("shop_web")["Spec"]["Labels"]["hive.autoscale.paused"], "scaled by hand");
  const auto late = planned(replaced(scaled, "shop:1", "shop:3"));
  ASSERT_TRUE(late);
  set_pause(false);
  ASSERT_TRUE(apply(engine_, *late));
  EXPECT_FALSE(service("shop_web")["Spec"]["Labels"].contains("hive.autoscale.paused"))
      << "resumed between the plan and the write";
}

TEST_F(PlanTest, ImagesArePinnedAndOneThatCannotBeIsWarnedOf) {
  options_.resolve = [](const std::string& reference) -> Result<std::string> {
    if (reference == "db:1") return fail(Errc::kNotFound, "no such tag");
    return "sha256:" + std::string(64, 'a');
  };
  const auto plan = planned(kTwo);
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->warnings,
              ElementsAre(testing::AllOf(HasSubstr("db:1"), HasSubstr("no such tag"))));
  ASSERT_TRUE(apply(engine_, *plan));
  EXPECT_THAT(service("shop_web").dump(), HasSubstr("shop:1@sha256:aaaa"));
}

TEST_F(PlanTest, ARegistryThatDoesNotAnswerDoesNotUnpinWhatRuns) {
  options_.resolve = [](const std::string&) -> Result<std::string> {
    return "sha256:" + std::string(64, 'a');
  };
  deploy(kTwo);
  options_.resolve = [](const std::string&) -> Result<std::string> {
    return fail(Errc::kUnavailable, "no answer");
  };
  EXPECT_THAT(changes(*planned(kTwo)), IsEmpty());
}

TEST_F(PlanTest, AChangedConfigIsRefusedWithAWayOut) {
  deploy(kTwo);
  content_ = "other";
  const auto plan = planned(kTwo);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(plan.error().message, HasSubstr("shop_settings"));
}

TEST_F(PlanTest, FaultsOfFilesAndNamesAreToldAllAtOnceAndNothingIsMade) {
  options_.stack = std::string(60, 's');
  options_.read_file = [](const std::string& path) -> Result<std::string> {
    if (path.ends_with("key")) return fail(Errc::kNotFound, "no such file");
    return std::string();
  };
  const auto plan = planned(kTwo);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::kNotFound);
  EXPECT_THAT(split(plan.error().message, '\n'),
              ElementsAre("hive.yml:16:17: secret key: no such file",
                          HasSubstr("hive.yml:15:22: config settings: its name \"ssss"),
                          HasSubstr("hive.yml:4:3: service web: its name \"ssss")));
  EXPECT_THAT(engine_.calls(), IsEmpty());
}

TEST_F(PlanTest, ContentsThatSwarmDoesNotTakeAreRefused) {
  content_ = std::string(512'000, 'x');
  EXPECT_THAT(
      planned(kTwo).error().message,
      HasSubstr("secret key: /work/key has 512000 bytes, and Swarm takes less than 512000"));
  content_.pop_back();
  EXPECT_TRUE(planned(kTwo));
  content_.clear();
  EXPECT_THAT(
      planned(kTwo).error().message,
      HasSubstr("config settings: /work/settings is empty, and Swarm takes no empty config"));
}

TEST_F(PlanTest, WhatIsExternalMustBeThere) {
  const auto network = planned(replaced(kTwo, "front: {}", "front: {external: true}"));
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Errc::kFailedPrecondition);
  const auto secret = planned(replaced(kTwo, "key: {file: ./key}", "key: {external: true}"));
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().code, Errc::kNotFound);
  EXPECT_THAT(secret.error().message, HasSubstr("docker secret create key"));
}

TEST_F(PlanTest, AStackIsRemovedWholeAndAlone) {
  deploy(kTwo);
  options_.stack = "other";
  deploy(kTwo);
  const auto removed = remove_stack(engine_, "shop");
  ASSERT_TRUE(removed) << describe(removed.error());
  EXPECT_EQ(removed->size(), 5u);
  const auto left = list_stacks(engine_);
  ASSERT_TRUE(left);
  EXPECT_EQ(*left, (std::map<std::string, std::size_t>{{"other", 2}}));
  EXPECT_EQ(remove_stack(engine_, "shop").error().code, Errc::kNotFound);
}

TEST_F(PlanTest, DifferencesFromDockerAreAppliedOnce) {
  config::LoadOptions load_options;
  load_options.working_dir = "/work";
  const auto loaded = config::load({{"hive.yml", kTwo}}, load_options);
  ASSERT_TRUE(loaded);
  auto conversion = convert(loaded->spec, {"shop", options_.read_file});
  ASSERT_TRUE(conversion) << describe(conversion.error());
  for (const bool ip_vs : {true, false}) {
    EXPECT_THAT(apply_differences(loaded->spec, {ip_vs}, *conversion), testing::Not(IsEmpty()));
    std::vector<Json> once;
    for (const auto& object : conversion->services) once.push_back(object.spec);
    apply_differences(loaded->spec, {ip_vs}, *conversion);
    for (std::size_t i = 0; i < once.size(); ++i)
      EXPECT_EQ(conversion->services[i].spec, once[i]) << conversion->services[i].name;
  }
}

}  // namespace
}  // namespace hive::stack
