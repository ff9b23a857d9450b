#include "simulator/contest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "simulator/shapes.h"

namespace hive::simulator {
namespace {

Load day(double high) {
  Random random(5);
  return *make_shape("day", high / 8, high, random);
}

TEST(Contest, EveryPolicyRunsAndNoneBeatsTheBound) {
  const Load load = day(80);
  ContestOptions options{.world = {.capacity = 10, .boot_s = 60}};
  for (const KnownPolicy& one : known_policies()) options.policies.emplace_back(one.name);
  const auto contest = run_contest(load, options);
  ASSERT_TRUE(contest);
  EXPECT_LE(contest->best_without_delay.bound, contest->best.bound * (1 + 1e-9));
  for (const Entry& entry : contest->entries) {
    EXPECT_GT(entry.outcome.node_seconds, 0) << entry.name;
    if (entry.reached) {
      EXPECT_GE(entry.competitive_ratio, 1 - 1e-6) << entry.name;
      EXPECT_LE(entry.outcome.unserved_share(), options.objective) << entry.name;
    }
  }
}

TEST(Contest, HindsightNeverCostsMoreThanAUsualTargetThatMeetsTheObjective) {
  const Load load = day(60);
  ContestOptions options{.world = {.capacity = 10, .boot_s = 30},
                         .policies = {"target_tracking", "target_tracking_hindsight"}};
  const auto contest = run_contest(load, options);
  ASSERT_TRUE(contest);
  ASSERT_TRUE(contest->entries[1].reached);
  if (contest->entries[0].reached) {
    EXPECT_LE(contest->entries[1].outcome.node_seconds,
              1.01 * contest->entries[0].outcome.node_seconds);
  }
}

TEST(Contest, HiveMeetsTheObjectiveOfADayAndIsCheaperThanAPeak) {
  const Load load = day(80);
  const ContestOptions options{.world = {.capacity = 10, .boot_s = 60},
                               .policies = {"hive", "static_peak"}};
  const auto contest = run_contest(load, options);
  ASSERT_TRUE(contest);
  EXPECT_TRUE(contest->entries[0].reached) << contest->entries[0].outcome.unserved_share();
  EXPECT_LT(contest->entries[0].competitive_ratio, 1.35);
  EXPECT_LT(contest->entries[0].outcome.node_seconds, contest->entries[1].outcome.node_seconds);
}

TEST(Contest, OneSeedOneResult) {
  const Load load = day(40);
  ContestOptions options{.world = {.capacity = 10, .spread = BootSpread{}}, .policies = {"hive"}};
  const auto a = run_contest(load, options);
  const auto b = run_contest(load, options);
  EXPECT_EQ(a->entries[0].outcome.node_seconds, b->entries[0].outcome.node_seconds);
}

TEST(Contest, UnknownPoliciesAreAnsweredWithTheKnown) {
  EXPECT_TRUE(check_policies(usual_policies()));
  EXPECT_THAT(check_policies({"hap"}).error().message,
              ::testing::HasSubstr("'hap' is no policy (did you mean hpa?)"));
}

TEST(Contest, DensityMakesNodesOfReplicas) {
  const Load load = day(80);
  const ContestOptions options{.world = {.capacity = 10, .boot_s = 60, .density = 4},
                               .policies = {"static_peak"}};
  const auto contest = run_contest(load, options);
  ASSERT_TRUE(contest);
  EXPECT_LT(contest->best.bound, 3 * 86'400 * 3.0);
  EXPECT_GE(contest->entries[0].competitive_ratio, 1);
}

}  // namespace
}  // namespace hive::simulator
