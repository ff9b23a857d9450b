#include "decide/fleet/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "decide/placement/scene.h"

namespace hive::decide::fleet {
namespace {

using placement::scene::add_node;
using placement::scene::add_service;
using placement::scene::add_task;
using ::testing::HasSubstr;

// Workers of two CPUs, replicas of one.
class RuleTest : public ::testing::Test {
 protected:
  RuleTest() {
    add_node(now, "m", 2, model::Role::kManager);
    auto& web = add_service(now, "web", 1'000);
    web.constraints = {"node.role==worker"};
    for (int i = 1; i <= 2; ++i) add_worker(i);
    wants["web"] = 2;
    add_task(now, "web", 1, "w1");
    add_task(now, "web", 2, "w2");
  }
  void add_worker(int number) {
    const std::string name = "w" + std::to_string(number);
    add_node(now, name, 2);
    workers.push_back({"i-" + name, name, name, true, 1'000 * number});
  }
  FleetDecision decide(int seconds = 1) {
    FleetDecision out;
    for (int i = 0; i < seconds; ++i) {
      FleetView view{.second = ++second, .snapshot = now, .wants = wants, .workers = workers};
      view.min = 1;
      view.max = 5;
      view.window_s = 10;
      view.coming = coming;
      view.unborn = unborn;
      view.dead = dead;
      view.going = going;
      view.leaving = leaving;
      view.may_stay = true;
      view.frozen = frozen;
      view.busy = busy;
      out = rule.decide(view);
      if (out.start > 0 || !out.end.empty() || out.call_off) break;
    }
    return out;
  }

  model::Snapshot now;
  Wants wants;
  std::vector<Worker> workers;
  FleetRule rule;
  std::int64_t second = 100;
  int coming = 0;
  int unborn = 0;
  int dead = 0;
  std::set<std::string> going;
  std::string leaving;
  std::string frozen;
  std::string busy;
};

TEST_F(RuleTest, WhatIsRightStays) {
  wants["web"] = 3;
  const auto decision = decide(100);
  EXPECT_EQ(decision.start, 0);
  EXPECT_EQ(decision.end, "");
  EXPECT_EQ(decision.reason, "2 workers are right");
}

TEST_F(RuleTest, MissingOnesAreStartedAtOnceWithinTheBound) {
  wants["web"] = 7;
  auto decision = decide();
  EXPECT_EQ(decision.start, 2);
  EXPECT_EQ(decision.reason, "3 replicas of shop_web find no node with room");
  wants["web"] = 100;
  EXPECT_EQ(decide().start, 3);
  coming = unborn = 3;
  decision = decide();
  EXPECT_EQ(decision.start, 0);
  EXPECT_THAT(decision.reason, HasSubstr("x-hive.workers.max is 5"));
  wants["web"] = 9;
  EXPECT_EQ(decide().reason, "5 replicas of shop_web wait for 3 workers that start");
}

TEST_F(RuleTest, NothingIsBegunWhileFrozen) {
  frozen = "a rollout is under way";
  wants["web"] = 7;
  EXPECT_EQ(decide(5).start, 0);
  EXPECT_THAT(decide().reason, HasSubstr("a rollout is under way"));
  wants["web"] = 1;
  EXPECT_EQ(decide(50).end, "");
  frozen.clear();
  busy = "a drain is under way";
  EXPECT_EQ(decide(50).end, "");
  busy.clear();
  EXPECT_EQ(decide().end, "i-w2");
}

TEST_F(RuleTest, OneThatWasNotNeededForTheWindowGoes) {
  EXPECT_EQ(decide(10).end, "");
  const auto decision = decide(1);
  EXPECT_EQ(decision.end, "i-w2") << "the oldest stays";
  EXPECT_THAT(decision.reason, HasSubstr("w2 is the cheapest to empty: 1 task to move"));
}

TEST_F(RuleTest, WhatWasNeededWithinTheWindowStays) {
  EXPECT_EQ(decide(9).end, "");
  wants["web"] = 3;
  EXPECT_EQ(decide(1).end, "");
  wants["web"] = 2;
  EXPECT_EQ(decide(10).end, "");
  EXPECT_EQ(decide(1).end, "i-w2");
}

TEST_F(RuleTest, TheCheapestToEmptyGoes) {
  for (int i = 3; i <= 4; ++i) add_worker(i);
  auto& job = add_service(now, "job", 0);
  job.start_first = false;  // moves one by one
  wants["job"] = 1;
  add_task(now, "job", 1, "w4");
  add_task(now, "web", 3, "w3");
  wants["web"] = 3;
  EXPECT_EQ(decide(11).end, "i-w3") << "as w2, which is older; w4 would have to stop something";
}

TEST_F(RuleTest, ThoseThatTheMinimumFixesNeverGo) {
  now.tasks.erase("web.1");
  wants["web"] = 1;
  EXPECT_EQ(decide(11).end, "i-w2") << "w1 is empty, but the file's";
}

TEST_F(RuleTest, OneThatLeavesIsKeptWhenItIsNeededAgain) {
  leaving = "i-w2";
  EXPECT_FALSE(decide().call_off);
  wants["web"] = 3;
  const auto decision = decide();
  EXPECT_TRUE(decision.call_off);
  EXPECT_EQ(decision.start, 0);
}

TEST_F(RuleTest, ADeadOneIsReplacedWhereFewerThanTheMinimumAreLeft) {
  dead = 1;
  EXPECT_EQ(decide(5).start, 0) << "two are left, and the minimum is one";
  workers.clear();
  now.tasks.clear();
  wants.clear();
  dead = 0;
  EXPECT_EQ(decide(5).start, 0) << "a person's hand";
  dead = 2;
  auto decision = decide();
  EXPECT_EQ(decision.start, 1);
  EXPECT_EQ(decision.replacing, 1);
  EXPECT_EQ(decision.reason, "1 worker died, and x-hive.workers.min is 1");
  frozen = "a rollout is under way";
  EXPECT_EQ(decide(5).start, 0);
  frozen.clear();
  coming = unborn = 1;
  EXPECT_EQ(decide(5).start, 0) << "it is on its way";
}

TEST_F(RuleTest, WhatIsNeededAndWhatDiedIsStartedTogether) {
  workers.clear();
  now.nodes.erase("w1");
  now.nodes.erase("w2");
  now.tasks.clear();
  wants["web"] = 6;
  dead = 1;
  const auto decision = decide();
  EXPECT_EQ(decision.start, 3);
  EXPECT_EQ(decision.replacing, 1);
}

TEST_F(RuleTest, WhatRunsOnANodeThatTheCloudEndsNeedsAPlace) {
  wants["web"] = 4;
  add_task(now, "web", 3, "w1");
  add_task(now, "web", 4, "w2");
  EXPECT_EQ(decide().start, 0);
  going = {"w2"};
  std::erase_if(workers, [](const Worker& one) { return one.node_id == "w2"; });
  const auto decision = decide();
  EXPECT_EQ(decision.start, 1);
  EXPECT_EQ(decision.reason, "2 replicas of shop_web find no node with room");
}

TEST_F(RuleTest, ANodeThatAloneTakesAServiceIsNoSpare) {
  now.nodes.at("w2").labels["disk"] = "ssd";
  auto& db = add_service(now, "db", 0);
  db.constraints = {"node.labels.disk==ssd"};
  wants["db"] = 1;
  add_task(now, "db", 1, "w2");
  EXPECT_EQ(decide(50).end, "");
}

// Whatever is wanted: within the bounds, nothing goes that anything needs, and both ends are met.
TEST(RuleModel, KeepsItsBoundsAndItsTasks) {
  const auto seed = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int run = 0; run < 60; ++run) {
    model::Snapshot now;
    add_node(now, "m", 2, model::Role::kManager);
    auto& web = add_service(now, "web", 1'000);
    web.constraints = {"node.role==worker"};
    std::vector<Worker> workers;
    int born = 0;
    const auto birth = [&] {
      const std::string name = "w" + std::to_string(++born);
      add_node(now, name, 2);
      workers.push_back({"i-" + name, name, name, true, born});
    };
    const int min = 1 + static_cast<int>(random.below(2));
    const int max = min + 1 + static_cast<int>(random.below(4));
    for (int i = 0; i < min; ++i) birth();
    FleetRule rule;
    Wants wants;
    for (int second = 0; second < 300; ++second) {
      if (second < 250 && random.below(20) == 0) wants["web"] = static_cast<int>(random.below(14));
      if (second == 250) wants["web"] = 2 * min;  // what the file's own take
      // Swarm: places what fits, ends what is too much.
      std::erase_if(now.tasks, [&](const auto& e) { return e.second.slot > wants["web"]; });
      for (int slot = 1; slot <= wants["web"]; ++slot) {
        if (now.tasks.contains("web." + std::to_string(slot))) continue;
        for (const auto& [id, node] : now.nodes) {
          const auto used =
              std::count_if(now.tasks.begin(), now.tasks.end(),
                            [&, &on = id](const auto& e) { return e.second.node_id == on; });
          if (node.role == model::Role::kManager || used >= 2) continue;
          add_task(now, "web", slot, id);
          break;
        }
      }
      FleetView view{.second = second, .snapshot = now, .wants = wants, .workers = workers};
      view.min = min;
      view.max = max;
      view.window_s = 10;
      const auto decision = rule.decide(view);
      for (int i = 0; i < decision.start; ++i) birth();
      ASSERT_LE(static_cast<int>(workers.size()), max);
      if (decision.end.empty()) continue;
      std::erase_if(workers, [&](const Worker& one) { return one.instance_id == decision.end; });
      const auto name = decision.end.substr(2);
      now.nodes.erase(name);
      std::erase_if(now.tasks, [&](const auto& e) { return e.second.node_id == name; });
      ASSERT_GE(static_cast<int>(workers.size()), min);
      const int places = 2 * static_cast<int>(workers.size());
      ASSERT_LE(std::min(wants["web"], 2 * max), places) << "it was needed";
    }
    EXPECT_EQ(static_cast<int>(workers.size()), min) << "it does not converge";
  }
}

}  // namespace
}  // namespace hive::decide::fleet
