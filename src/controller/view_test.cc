#include "controller/view.h"

#include <gtest/gtest.h>

#include <random>

#include "base/random.h"

namespace hive::controller {
namespace {

using model::TaskState;

constexpr std::int64_t kShownMs = 1'000'000'000;

model::Task task(const std::string& id, TaskState state, std::int64_t since = kShownMs) {
  model::Task out;
  out.id = id;
  out.state = state;
  out.state_since_unix_ms = since;
  return out;
}

TEST(View, TheFirstLookIsAllAndTheNextIsNothing) {
  model::Snapshot snapshot;
  snapshot.nodes["n1"].id = "n1";
  snapshot.services["s1"].id = "s1";
  snapshot.tasks["t1"] = task("t1", TaskState::kRunning);
  View view;
  const Json first = view.update(snapshot, {{"t1", "healthy"}}, kShownMs);
  EXPECT_EQ(first.size(), 3u);
  EXPECT_EQ(first["tasks"]["t1"]["health"], "healthy");
  EXPECT_EQ(view.update(snapshot, {{"t1", "healthy"}}, kShownMs), Json::object());
}

TEST(View, AChangeOfHealthAloneIsAChangeOfThatTaskAlone) {
  model::Snapshot snapshot;
  snapshot.tasks["t1"] = task("t1", TaskState::kRunning);
  snapshot.tasks["t2"] = task("t2", TaskState::kRunning);
  View view;
  view.update(snapshot, {}, kShownMs);
  const Json change = view.update(snapshot, {{"t2", "unhealthy"}}, kShownMs);
  ASSERT_EQ(change.size(), 1u);
  ASSERT_EQ(change["tasks"].size(), 1u);
  EXPECT_EQ(change["tasks"]["t2"]["health"], "unhealthy");
}

TEST(View, ANewVersionOfTheSameIsNoChange) {
  model::Snapshot snapshot;
  snapshot.nodes["n1"].version = 1;
  snapshot.services["s1"].version = 1;
  snapshot.tasks["t1"] = task("t1", TaskState::kRunning);
  View view;
  view.update(snapshot, {}, kShownMs);
  ++snapshot.nodes["n1"].version;
  ++snapshot.services["s1"].version;
  ++snapshot.tasks["t1"].version;
  EXPECT_EQ(view.update(snapshot, {}, kShownMs), Json::object());
}

TEST(View, TheDeadAreShownForAWhileThenGo) {
  model::Snapshot snapshot;
  snapshot.tasks["t1"] = task("t1", TaskState::kFailed);
  View view;
  view.update(snapshot, {}, kShownMs);
  EXPECT_EQ(view.tasks(), 1u);
  EXPECT_EQ(view.update(snapshot, {}, kShownMs + kDeadShownMs - 1), Json::object());
  const Json gone = view.update(snapshot, {}, kShownMs + kDeadShownMs);
  EXPECT_EQ(gone, (Json{{"tasks", {{"t1", nullptr}}}}));
  EXPECT_EQ(view.tasks(), 0u);
}

TEST(View, ManyDeadDoNotHideTheLiving) {
  model::Snapshot snapshot;
  for (std::size_t i = 0; i < 2 * kMaxDeadShown; ++i) {
    const std::string id = "dead" + std::to_string(i);
    snapshot.tasks[id] = task(id, TaskState::kShutdown);
  }
  for (int i = 0; i < 10; ++i) {
    const std::string id = "z" + std::to_string(i);
    snapshot.tasks[id] = task(id, TaskState::kRunning);
  }
  View view;
  view.update(snapshot, {}, kShownMs);
  EXPECT_EQ(view.tasks(), kMaxDeadShown + 10);
  EXPECT_TRUE(view.whole()["tasks"].contains("z9"));
}

TEST(View, OnlyTheDeadHaveAnExitCode) {
  EXPECT_FALSE(task_json(task("t", TaskState::kRunning), "").contains("exit_code"));
  EXPECT_TRUE(task_json(task("t", TaskState::kFailed), "").contains("exit_code"));
  EXPECT_FALSE(task_json(task("t", TaskState::kRunning), "").contains("health"));
}

// A dashboard that saw every change has what one that asks now gets.
TEST(View, ChangesAddUpToTheWhole) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  View view;
  model::Snapshot snapshot;
  StatsByTask stats;
  Json mirror = view.whole();
  const auto apply = [&mirror](const char* kind, const Json& changes) {
    for (const auto& [id, value] : changes.items()) {
      if (value.is_null())
        mirror[kind].erase(id);
      else
        mirror[kind][id] = value;
    }
  };
  for (int step = 0; step < 300; ++step) {
    const std::string id = "x" + std::to_string(random.below(12));
    switch (random.below(7)) {
      case 0:
        snapshot.tasks[id] =
            task(id, static_cast<TaskState>(random.below(15)), kShownMs + step * 1'000);
        break;
      case 1:
        snapshot.tasks.erase(id);
        break;
      case 2:
        snapshot.nodes[id].hostname = "h" + std::to_string(random.below(3));
        break;
      case 3:
        snapshot.nodes.erase(id);
        break;
      case 4:
        snapshot.services[id].replicas = random.below(3);
        break;
      case 5:
        snapshot.services.erase(id);
        break;
      default:
        if (random.below(3) == 0)
          stats.erase(id);
        else
          stats[id].in_flight = static_cast<std::uint32_t>(random.below(3));
    }
    const Json change = view.update(snapshot, {}, kShownMs + step * 1'000);
    for (const auto& [kind, changes] : change.items()) apply(kind.c_str(), changes);
    apply("stats", view.update_stats(stats));
    ASSERT_EQ(mirror, view.whole()) << "step " << step;
  }
}

}  // namespace
}  // namespace hive::controller
