#include "simulator/world.h"

#include <gtest/gtest.h>

#include <functional>

#include "simulator/testing_support.h"

namespace hive::simulator {
namespace {

// Wants what a function says for each second.
class Scripted final : public Policy {
 public:
  explicit Scripted(std::function<int(const Seen&)> wish) : wish_(std::move(wish)) {}
  int step(const Seen& seen) override {
    seen_.push_back(seen);
    return wish_(seen);
  }
  std::vector<Seen> seen_;

 private:
  std::function<int(const Seen&)> wish_;
};

WorldOptions options() { return {.boot_s = 10, .initial = 1, .keep_supply = true}; }

TEST(World, AnOrderServesAfterTheBootAndIsBilledFromIt) {
  Scripted policy([](const Seen& seen) { return seen.now >= 5 ? 3 : 1; });
  const auto out = simulate(load_of(std::vector<float>(30, 2.0F)), options(), policy);
  // Ordered at the end of second 4, up 10 s later.
  for (std::size_t t = 0; t < 30; ++t) EXPECT_EQ(out.supply[t], t < 15 ? 1 : 3) << t;
  EXPECT_EQ(out.node_seconds, 30 + 2 * 25);
  EXPECT_EQ(out.unserved, 15);
  EXPECT_EQ(out.boots, 2);
  EXPECT_EQ(out.ups, 1);
  EXPECT_EQ(policy.seen_[10].starting, 2);
}

TEST(World, WhatStartsIsGivenBackFirst) {
  Scripted policy([](const Seen& seen) { return seen.now < 5 ? 4 : 1; });
  const auto out = simulate(load_of(std::vector<float>(30, 0.5F)), options(), policy);
  for (std::size_t t = 0; t < 30; ++t) EXPECT_EQ(out.supply[t], 1);
  EXPECT_EQ(out.node_seconds, 30 + 3 * 4);
  EXPECT_EQ(out.downs, 1);
}

TEST(World, ContainersStartOnTopAndShareNodes) {
  WorldOptions world = options();
  world.container_start_s = 3;
  world.density = 2;
  world.initial = 1;
  Scripted policy([](const Seen&) { return 3; });
  const auto out = simulate(load_of(std::vector<float>(30, 2.0F)), world, policy);
  // One fits on the first node and needs only its container; the other needs a node.
  EXPECT_EQ(out.supply[3], 1);
  EXPECT_EQ(out.supply[4], 2);
  EXPECT_EQ(out.supply[13], 2);
  EXPECT_EQ(out.supply[14], 3);
  EXPECT_EQ(out.boots, 1);
  EXPECT_EQ(out.node_seconds, 30 + 29);
}

TEST(World, UtilisationShowsNoMoreThanAllOfIt) {
  Scripted policy([](const Seen&) { return 1; });
  (void)simulate(load_of({0.5F, 3, 9}), options(), policy);
  EXPECT_DOUBLE_EQ(policy.seen_[0].utilisation, 0.5);
  EXPECT_DOUBLE_EQ(policy.seen_[1].utilisation, 1);
  EXPECT_GT(policy.seen_[2].in_flight, policy.seen_[1].in_flight);
}

TEST(World, WaitingLongerThanTheObjectiveIsLate) {
  Scripted policy([](const Seen&) { return 1; });
  WorldOptions world = options();
  world.late_after_s = 1;
  EXPECT_EQ(simulate(load_of({1.5F, 0.5F, 1}), world, policy).late, 0);
  EXPECT_GT(simulate(load_of({2, 2, 2, 2}), world, policy).late, 0);
  // The queue has a bound: what it would not take is late at once.
  const auto flood = simulate(load_of({100, 0, 0}), world, policy);
  EXPECT_GT(flood.late, 89);
}

TEST(World, GapsAreUnknownAndCountAsNothing) {
  Load load = load_of(std::vector<float>(20, 1.0F));
  load.gaps = {{5, 10}};
  int unknown = 0;
  Scripted policy([&](const Seen& seen) {
    unknown += seen.known ? 0 : 1;
    return 1;
  });
  const auto out = simulate(load, options(), policy);
  EXPECT_EQ(unknown, 5);
  EXPECT_EQ(out.node_seconds, 15);
  EXPECT_EQ(out.demand, 15);
}

TEST(World, BoundsHoldWhateverThePolicyWants) {
  WorldOptions world = options();
  world.min = 2;
  world.max = 4;
  Scripted policy([](const Seen& seen) { return seen.now % 7 == 0 ? 0 : 1000; });
  const auto out = simulate(load_of(std::vector<float>(200, 1.0F)), world, policy);
  for (const auto one : out.supply) {
    EXPECT_GE(one, 2);
    EXPECT_LE(one, 4);
  }
}

TEST(World, BootTimesAreDrawnFromTheSeed) {
  WorldOptions world = options();
  world.spread = BootSpread{};
  const auto run = [&](std::uint64_t seed) {
    world.seed = seed;
    Scripted policy([](const Seen& seen) { return seen.now >= 5 ? 20 : 1; });
    return simulate(load_of(std::vector<float>(600, 2.0F)), world, policy).supply;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(World, ElasticityOfASmallCase) {
  Scripted policy([](const Seen&) { return 2; });
  WorldOptions world = options();
  world.initial = 2;
  const auto out = simulate(load_of({1, 2, 4, 3}), world, policy);
  EXPECT_DOUBLE_EQ(out.elasticity.theta_under, 100.0 / 4 * (2.0 / 4 + 1.0 / 3));
  EXPECT_DOUBLE_EQ(out.elasticity.theta_over, 100.0 / 4 * 1);
  EXPECT_DOUBLE_EQ(out.elasticity.tau_under, 50);
  EXPECT_DOUBLE_EQ(out.elasticity.tau_over, 25);
  EXPECT_DOUBLE_EQ(out.elasticity.instability, 25);  // the demand fell, the supply did not
  EXPECT_DOUBLE_EQ(elastic_speedup({8, 8, 8, 8, 0}, {4, 4, 4, 4, 0}), 2);
}

TEST(World, StartsWithWhatTheFirstMinuteNeeds) {
  EXPECT_EQ(initial_replicas(load_of(std::vector<float>(100, 70.0F)), {.capacity = 10}), 10);
  EXPECT_EQ(initial_replicas(load_of({}), {.min = 3}), 3);
}

}  // namespace
}  // namespace hive::simulator
