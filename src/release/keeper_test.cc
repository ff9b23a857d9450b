#include "release/keeper.h"

#include <gtest/gtest.h>

#include "engine/fake/fake_engine.h"

namespace hive::release {
namespace {

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    service = engine
                  .create_service({{"Name", "web"},
                                   {"TaskTemplate", {{"ContainerSpec", {{"Image", "web:1"}}}}},
                                   {"Mode", {{"Replicated", {{"Replicas", 1}}}}}},
                                  {})
                  ->id;
  }
  Status note(const std::string& image) {
    return change(engine, service, "web", [&](Releases& releases) {
      Release one;
      one.spec = {{"TaskTemplate", {{"ContainerSpec", {{"Image", image}}}}}};
      one.operation = image;
      begin(releases, one);
      return true;
    });
  }
  engine::fake::FakeEngine engine;
  std::string service;
};

TEST_F(KeeperTest, IsEmptyAtFirstAndGrows) {
  EXPECT_TRUE(read(engine, service)->list.empty());
  ASSERT_TRUE(note("web:2"));
  ASSERT_TRUE(note("web:3"));
  const auto releases = read(engine, service);
  ASSERT_TRUE(releases);
  ASSERT_EQ(releases->list.size(), 2U);
  EXPECT_EQ(releases->list[1].image, "web:3");
  EXPECT_EQ(releases->list[1].number, 2U);
}

TEST_F(KeeperTest, AnothersWriteIsReadAnew) {
  ASSERT_TRUE(note("web:2"));
  engine.fail_next("update_config", {Errc::kConflict, "update out of sequence", std::nullopt}, 2);
  ASSERT_TRUE(note("web:3"));
  EXPECT_EQ(read(engine, service)->list.size(), 2U);
  engine.fail_next("update_config", {Errc::kConflict, "update out of sequence", std::nullopt}, 9);
  EXPECT_FALSE(note("web:4"));
}

TEST_F(KeeperTest, NothingIsWrittenWhenNothingChanged) {
  engine.clear_calls();
  ASSERT_TRUE(change(engine, service, "web", [](Releases&) { return false; }));
  for (const auto& call : engine.calls()) EXPECT_EQ(call.find("create_config"), std::string::npos);
}

TEST_F(KeeperTest, HistoriesOfServicesThatAreGoneAreForgotten) {
  ASSERT_TRUE(note("web:2"));
  ASSERT_TRUE(engine.remove_service(service));
  const std::string gone = service;
  const auto other = engine.create_service(
      {{"Name", "other"}, {"TaskTemplate", {{"ContainerSpec", {{"Image", "other:1"}}}}}}, {});
  ASSERT_TRUE(other) << describe(other.error());
  service = other->id;
  ASSERT_TRUE(note("other:1"));
  EXPECT_TRUE(read(engine, gone)->list.empty());
  EXPECT_EQ(read(engine, service)->list.size(), 1U);
}

}  // namespace
}  // namespace hive::release
