#include "controller/registry_logins.h"

#include <gmock/gmock.h>

#include "engine/fake/fake_engine.h"

namespace hive::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kImage = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1";
constexpr std::chrono::hours kLife{12};

class RegistryLoginsTest : public ::testing::Test {
 protected:
  std::string add(const std::string& name, const std::string& image) {
    return engine
        .create_service({{"Name", name},
                         {"TaskTemplate", {{"ContainerSpec", {{"Image", image}}}}},
                         {"Mode", {{"Replicated", {{"Replicas", 1}}}}}},
                        {})
        ->id;
  }
  // What is written in a look, after so long.
  std::vector<std::string> look(Milliseconds later = Milliseconds(60'000)) {
    clock.advance(later);
    engine.clear_calls();
    logins.turn();
    std::vector<std::string> out;
    for (const auto& call : engine.calls())
      if (call.starts_with("update_service")) out.push_back(call.substr(call.find(' ') + 1));
    return out;
  }

  ManualClock clock;
  engine::fake::FakeEngine engine;
  std::vector<std::string> asked;  // regions
  Status outcome;
  RegistryLogins logins{
      engine, clock, [this](const std::string& region) -> Result<cloud::aws::RegistryLogin> {
        asked.push_back(region);
        if (!outcome) return tl::unexpected(outcome.error());
        return cloud::aws::RegistryLogin{"AWS", os::Secret("token-" + std::to_string(asked.size())),
                                         "not looked at", clock.wall_now() + kLife};
      }};
};

TEST_F(RegistryLoginsTest, AServiceInEcrGetsAFreshTokenAtHalfOfItsLife) {
  const auto id = add("web", kImage);
  const auto before = engine.inspect_service(id);
  EXPECT_THAT(look(), ElementsAre(id));
  EXPECT_EQ(engine.last_auth().username, "AWS");
  EXPECT_EQ(engine.last_auth().password, "token-1");
  EXPECT_EQ(engine.last_auth().server_address, "123456789012.dkr.ecr.eu-central-1.amazonaws.com");
  EXPECT_EQ((*engine.inspect_service(id))["Spec"], (*before)["Spec"]) << "nothing else is changed";
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(look(kLife / 2 - Milliseconds(120'000)), IsEmpty());
  EXPECT_THAT(look(), ElementsAre(id));
  EXPECT_EQ(engine.last_auth().password, "token-2");
}

TEST_F(RegistryLoginsTest, TellsWhatAnImageIsFetchedWith) {
  ASSERT_TRUE(logins.login_of("registry.example.org/web:1"));
  EXPECT_TRUE(logins.login_of("registry.example.org/web:1")->empty());
  EXPECT_FALSE(logins.login_of(kImage)) << "it is on its way";
  add("web", kImage);
  look();
  const auto login = logins.login_of(std::string(kImage) + "@sha256:0a");
  ASSERT_TRUE(login);
  EXPECT_EQ(login->username, "AWS");
  EXPECT_EQ(login->password, "token-1");
  EXPECT_EQ(login->server_address, "123456789012.dkr.ecr.eu-central-1.amazonaws.com");
  EXPECT_FALSE(logins.login_of("123456789012.dkr.ecr.us-east-1.amazonaws.com/web"));
  clock.advance(kLife);
  EXPECT_FALSE(logins.login_of(kImage)) << "it has ended";
}

TEST_F(RegistryLoginsTest, OtherRegistriesAreLeftAlone) {
  for (const char* image :
       {"nginx", "registry.example.org/web:1", "dkr.ecr.eu-central-1.amazonaws.com/web",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com.example.org/web",
        "1.dkr.ecr..amazonaws.com/web"})
    add("s" + std::to_string(std::string_view(image).size()), image);
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(asked, IsEmpty());
}

TEST_F(RegistryLoginsTest, ARegistryInAnotherRegionHasATokenOfItsOwn) {
  add("a", kImage);
  add("b", "123456789012.dkr.ecr.us-east-1.amazonaws.com/web@sha256:00");
  add("c", "210987654321.dkr.ecr.us-east-1.amazonaws.com/web");
  EXPECT_EQ(look().size(), 3U);
  EXPECT_THAT(asked, ::testing::UnorderedElementsAre("eu-central-1", "us-east-1"));
}

TEST_F(RegistryLoginsTest, ANewServiceIsSeenAndANewManagerBeginsAnew) {
  const auto web = add("web", kImage);
  look();
  const auto api = add("api", kImage);
  EXPECT_THAT(look(), ElementsAre(api));
  logins.rest();
  EXPECT_EQ(look(Milliseconds(0)).size(), 2U) << "another may have written meanwhile";
  EXPECT_EQ(asked.size(), 1U) << "the token lives";
}

TEST_F(RegistryLoginsTest, TasksPullInPeace) {
  engine.hold_tasks(model::TaskState::kPreparing);
  const auto id = add("web", kImage);
  const WallTime created(Milliseconds(engine.list_tasks({})->at(0).created_unix_ms));
  const auto until = std::chrono::duration_cast<Milliseconds>(created - clock.wall_now());
  ASSERT_GT(until, Milliseconds(0)) << "the stand-in's time is behind the clock's";
  EXPECT_THAT(look(until + Milliseconds(30'000)), IsEmpty());
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(look(), ElementsAre(id)) << "it may be the login that it waits for";
}

TEST_F(RegistryLoginsTest, WhatFailsIsTriedAgain) {
  const auto id = add("web", kImage);
  outcome = fail(Errc::kPermissionDenied, "no");
  EXPECT_THAT(look(), IsEmpty());
  outcome = {};
  engine.fail_next("update_service", {Errc::kUnavailable, "no quorum", {}}, 9);
  look();
  engine.fail_no_more();
  EXPECT_THAT(look(), ElementsAre(id));
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(RegistryLoginsTest, AnOldTokenIsGivenToNewServicesWhileNoneComes) {
  add("web", kImage);
  look();
  outcome = fail(Errc::kUnavailable, "throttled");
  const auto api = add("api", kImage);
  EXPECT_THAT(look(kLife - Milliseconds(300'000)), ElementsAre(api));
  const auto last = add("last", kImage);
  EXPECT_THAT(look(Milliseconds(600'000)), IsEmpty()) << "a token that has ended helps nobody";
  outcome = {};
  EXPECT_EQ(look().size(), 3U);
}

}  // namespace
}  // namespace hive::controller
