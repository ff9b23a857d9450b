#include "release/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::release {
namespace {

Json spec(const std::string& image, int replicas = 3) {
  return {{"Name", "web"},
          {"Labels", {{"a", "b"}}},
          {"TaskTemplate", {{"ContainerSpec", {{"Image", image}}}}},
          {"Mode", {{"Replicated", {{"Replicas", replicas}}}}}};
}

Release release(const std::string& image, const std::string& operation) {
  Release out;
  out.spec = spec(image);
  out.operation = operation;
  out.by = "root";
  out.why = "update --image " + image;
  out.begun_unix_ms = 5;
  return out;
}

void roll(Releases& releases, const std::string& image, const std::string& operation,
          Outcome outcome = Outcome::kSucceeded) {
  begin(releases, release(image, operation));
  end(releases, operation, outcome, "it is so", 9);
}

TEST(History, WhatIsFoundIsTheFirstRelease) {
  Releases releases;
  EXPECT_EQ(current(releases), nullptr);
  EXPECT_EQ(note_found(releases, spec("web:1"), 1), 1U);
  EXPECT_EQ(note_found(releases, spec("web:1", 9), 2), 1U);  // scaled: the same version
  ASSERT_EQ(releases.list.size(), 1U);
  EXPECT_EQ(current(releases)->image, "web:1");
  EXPECT_EQ(previous(releases), nullptr);
}

TEST(History, ARollbackGoesToTheLastGoodOneThatDiffers) {
  Releases releases;
  note_found(releases, spec("web:1"), 1);
  roll(releases, "web:2", "a");
  roll(releases, "web:3", "b", Outcome::kUndone);
  EXPECT_EQ(current(releases)->number, 2U);
  EXPECT_EQ(previous(releases)->number, 1U);
  roll(releases, "web:2", "c");  // the same again
  EXPECT_EQ(current(releases)->number, 4U);
  EXPECT_EQ(previous(releases)->number, 1U);
  roll(releases, "web:1", "d");  // gone back
  EXPECT_EQ(previous(releases)->image, "web:2");
}

TEST(History, WhatRunsIsNotCurrentYet) {
  Releases releases;
  note_found(releases, spec("web:1"), 1);
  begin(releases, release("web:2", "a"));
  EXPECT_EQ(current(releases)->number, 1U);
}

TEST(History, AnOperationHasOneRelease) {
  Releases releases;
  EXPECT_EQ(begin(releases, release("web:2", "a")), 1U);
  EXPECT_EQ(begin(releases, release("web:2", "a")), 1U);
  EXPECT_EQ(releases.list.size(), 1U);
  end(releases, "a", Outcome::kUndone, "bad", 7);
  end(releases, "a", Outcome::kSucceeded, "late", 8);
  EXPECT_EQ(releases.list[0].outcome, Outcome::kUndone);
  EXPECT_EQ(releases.list[0].ended_unix_ms, 7);
}

TEST(History, IsBoundedAndNumbersAreNeverUsedAgain) {
  Releases releases;
  note_found(releases, spec("web:0"), 1);
  for (int i = 1; i <= 30; ++i)
    roll(releases, "web:" + std::to_string(i), "op" + std::to_string(i), Outcome::kUndone);
  EXPECT_EQ(releases.list.size(), kMaxReleases);
  EXPECT_EQ(current(releases)->number, 1U);  // the one that serves is never forgotten
  EXPECT_EQ(releases.list.back().number, 31U);
}

TEST(History, LargeSpecsAreBoundedToo) {
  Releases releases;
  for (int i = 0; i < 10; ++i) {
    Release one = release("web:" + std::to_string(i), "op" + std::to_string(i));
    one.spec["big"] = std::string(60U << 10, 'x');
    begin(releases, std::move(one));
    end(releases, "op" + std::to_string(i), Outcome::kSucceeded, "", 1);
  }
  EXPECT_LE(releases.list.size(), 5U);
  EXPECT_EQ(releases.list.back().number, 10U);
}

TEST(History, GoingBackKeepsTheNumberOfTasksOfToday) {
  const auto back = spec_of(release("web:1", "a"), spec("web:2", 7));
  ASSERT_TRUE(back);
  EXPECT_EQ((*back)["Mode"]["Replicated"]["Replicas"], 7);
  EXPECT_EQ(json_string(*back, "TaskTemplate.ContainerSpec.Image"), "web:1");
}

TEST(History, AModeCannotBeGoneBackTo) {
  Json global = spec("web:2");
  global["Mode"] = {{"Global", Json::object()}};
  const auto back = spec_of(release("web:1", "a"), global);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Errc::kUnsupported);
}

TEST(History, SurvivesItsConfig) {
  Releases releases;
  releases.service_id = "s1";
  releases.service_name = "web";
  note_found(releases, spec("web:1"), 1);
  for (int i = 2; i <= 12; ++i) roll(releases, "web:" + std::to_string(i), std::to_string(i));
  const auto again =
      from_config({{"ID", "c"}, {"Version", {{"Index", 4}}}, {"Spec", config_spec(releases)}});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->list, releases.list);  // 10 after 9, not after 1
  EXPECT_EQ(again->next, 13U);
  EXPECT_EQ(again->service_id, "s1");
  EXPECT_EQ(again->service_name, "web");
  EXPECT_EQ(again->version, 4U);
}

TEST(History, OtherConfigsAreNotReleases) {
  EXPECT_FALSE(from_config({{"Spec", {{"Name", "hive.op.x"}}}}));
}

}  // namespace
}  // namespace hive::release
