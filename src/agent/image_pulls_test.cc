#include "agent/image_pulls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake/fake_engine.h"

namespace hive::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kWeb = "r.example.org/shop/web:1@sha256:0a";

PullOrder order(const std::string& image, const std::string& password = "") {
  return {image, password.empty() ? "" : "r.example.org", password.empty() ? "" : "AWS",
          os::Secret(password)};
}

class ImagePullsTest : public ::testing::Test {
 protected:
  // What is asked of the engine until nothing is due.
  std::vector<std::string> pulled() {
    engine.clear_calls();
    while (pulls.pull_one({})) {
    }
    std::vector<std::string> out;
    for (const auto& call : engine.calls())
      if (call.starts_with("pull_image")) out.push_back(call.substr(call.find(' ') + 1));
    return out;
  }
  PullReport report(const std::string& image = kWeb) {
    for (const auto& one : pulls.reports())
      if (one.image == image) return one;
    return {};
  }

  ManualClock clock;
  engine::fake::FakeEngine engine;
  ImagePulls pulls{engine, clock};
};

TEST_F(ImagePullsTest, WhatIsWantedIsFetchedWithTheLogin) {
  engine.fail_next("inspect_image", {Errc::kNotFound, "no such image", {}});
  engine.add_image(kWeb);
  pulls.want({order(kWeb, "secret")});
  EXPECT_EQ(report().state, PullState::kPulling);
  EXPECT_THAT(pulled(), ElementsAre(kWeb));
  EXPECT_EQ(engine.last_auth().username, "AWS");
  EXPECT_EQ(engine.last_auth().password, "secret");
  EXPECT_EQ(engine.last_auth().server_address, "r.example.org");
  EXPECT_EQ(report().state, PullState::kPulled);
  EXPECT_THAT(pulled(), IsEmpty());
  pulls.want({order(kWeb, "another")});
  EXPECT_THAT(pulled(), IsEmpty()) << "it is there";
  pulls.want({});
  EXPECT_THAT(pulls.reports(), IsEmpty());
}

TEST_F(ImagePullsTest, WhatIsThereIsNotFetched) {
  engine.add_image(kWeb);
  engine.add_image("r.example.org:5000/web:1");
  pulls.want({order(kWeb), order("r.example.org:5000/web:1")});
  EXPECT_THAT(pulled(), IsEmpty());
  EXPECT_EQ(report().state, PullState::kPulled);
  EXPECT_EQ(report("r.example.org:5000/web:1").state, PullState::kPulled);
}

TEST_F(ImagePullsTest, WhatFailsIsTriedAgainLessAndLessOftenAndHoldsUpNothing) {
  engine.fail_next("inspect_image", {Errc::kNotFound, "no such image", {}}, 2);
  engine.add_image("ok:1");
  pulls.want({order(kWeb), order("ok:1")});
  EXPECT_THAT(pulled(), ::testing::UnorderedElementsAre(kWeb, "ok:1"));
  EXPECT_EQ(report("ok:1").state, PullState::kPulled);
  EXPECT_EQ(report().state, PullState::kFailed);
  EXPECT_EQ(report().tries, 1);
  EXPECT_THAT(report().why, ::testing::HasSubstr("not found"));
  EXPECT_THAT(pulled(), IsEmpty());
  std::size_t asked = 0;
  for (int second = 0; second < 300; ++second) {
    clock.advance(Milliseconds(1'000));
    asked += pulled().size();
  }
  EXPECT_GE(asked, 9U);
  EXPECT_LE(asked, 15U);
  engine.add_image(kWeb);  // by whomever: it is there
  clock.advance(Milliseconds(30'000));
  pulled();
  EXPECT_EQ(report().state, PullState::kPulled);
  EXPECT_EQ(report().why, "");
}

TEST_F(ImagePullsTest, AnotherLoginIsTriedAtOnce) {
  pulls.want({order(kWeb, "ended")});
  EXPECT_EQ(pulled().size(), 1U);
  pulls.want({order(kWeb, "ended")});
  EXPECT_THAT(pulled(), IsEmpty());
  pulls.want({order(kWeb, "fresh")});
  EXPECT_EQ(pulled().size(), 1U);
}

TEST_F(ImagePullsTest, ItsThreadFetchesAndEnds) {
  engine.add_image("ok:1");
  pulls.start();
  pulls.want({order("ok:1")});
  while (report("ok:1").state != PullState::kPulled) std::this_thread::yield();
  pulls.want({order(kWeb)});
  while (report().state != PullState::kFailed) std::this_thread::yield();
  pulls.stop();
}

}  // namespace
}  // namespace hive::agent
