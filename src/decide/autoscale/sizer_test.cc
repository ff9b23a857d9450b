#include "decide/autoscale/sizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace hive::decide::autoscale {
namespace {

// A sizer whose orders serve after the lead time.
struct World {
  explicit World(SizerOptions options)
      : sizer(options), lead(static_cast<std::size_t>(options.lead_s)) {}

  void run(int seconds, double mean, double noise = 0.1) {
    for (int i = 0; i < seconds; ++i) {
      const double load = mean * (1 + noise * (random.unit() - 0.5));
      orders.push_back(sizer.observe(++now, load, ready));
      unserved += std::max(0.0, load - ready);
      demand += load;
      cost += ready;
      ready = orders.back();
      for (std::size_t k = 0; k <= std::min(lead, orders.size() - 1); ++k)
        ready = std::min(ready, orders[orders.size() - 1 - k]);
    }
  }
  Sizer sizer;
  std::size_t lead;
  Random random{4};
  std::vector<int> orders;
  std::int64_t now = 0;
  int ready = 3;
  double unserved = 0;
  double demand = 0;
  double cost = 0;
};

TEST(Sizer, AStepIsAnsweredWithinTwoTicks) {
  World world({.lead_s = 30, .start_cost_s = 30, .max = 100});
  world.run(3600, 2);
  world.run(8, 20);
  EXPECT_GE(world.sizer.wanted(), 20);
}

// Whichever second of a tick it comes in; what comes with the seconds after it follows.
TEST(Sizer, AStepIsAnsweredInItsFirstSecond) {
  for (int into = 0; into < forecast::kTick; ++into) {
    World world({.lead_s = 30, .start_cost_s = 30, .max = 100});
    world.run(3600 + into, 2);
    world.run(1, 20);
    EXPECT_GE(world.sizer.wanted(), 10) << into;
    world.run(2, 20);
    EXPECT_GE(world.sizer.wanted(), 18) << into;
  }
}

// Its jump is the greater part of all the noise that was seen of it.
TEST(Sizer, AStepOfAYoungServiceIsAnsweredInItsFirstSecond) {
  for (int into = 0; into < forecast::kTick; ++into) {
    World world({.lead_s = 9, .start_cost_s = 9, .min = 2, .max = 12});
    world.run(40 + into, 0.4);
    world.run(1, 2.3);
    EXPECT_GT(world.sizer.wanted(), 2) << into;
    world.run(1, 8);
    EXPECT_GE(world.sizer.wanted(), 8) << into;
  }
}

// Of what it was never near to, no more is bought than three times what the load itself is
// (FirstTime), whatever the tables hold possible.
TEST(Sizer, AStepIsNotAnsweredWithManyTimesIt) {
  World world({.lead_s = 90, .start_cost_s = 90, .max = 10'000});
  world.ready = 2;
  world.run(1200, 0.9);
  for (int second = 0; second < 300; ++second) {
    world.run(1, 17);
    EXPECT_LE(world.sizer.wanted(), 54) << second;
  }
}

// Starts that take ten seconds cost hardly anything to repeat, and of a service minutes old hardly
// anything is known: the chance of another step changes with every minute.
TEST(Sizer, AfterAStepAYoungServiceGoesDownWithoutGoingUpAgain) {
  World world({.lead_s = 10, .start_cost_s = 10, .min = 2, .max = 12});
  world.run(75, 0.4, 0);
  world.run(60, 8, 0);
  world.run(30, 0.4, 0);
  int last = world.sizer.wanted();
  for (int second = 0; second < 1800; ++second) {
    world.run(1, 0.4, 0);
    EXPECT_LE(world.sizer.wanted(), last) << second;
    last = world.sizer.wanted();
  }
  EXPECT_EQ(last, 2);
}

TEST(Sizer, ASteadyLoadIsHeldCloselyAndWithoutFlapping) {
  World world({.lead_s = 60, .start_cost_s = 60, .max = 100});
  world.run(86'400, 7.5);
  world.unserved = world.demand = world.cost = 0;
  world.orders.clear();
  world.run(3600, 7.5);
  EXPECT_LE(world.unserved, 0.001 * world.demand);
  EXPECT_LE(world.cost / 3600, 9.1);
  int changes = 0;
  for (std::size_t i = 1; i < world.orders.size(); ++i)
    changes += world.orders[i] != world.orders[i - 1] ? 1 : 0;
  EXPECT_LE(changes, 10);
}

TEST(Sizer, BoundsHold) {
  World world({.lead_s = 30, .start_cost_s = 30, .min = 2, .max = 5});
  world.ready = 2;
  world.run(600, 0.1);
  EXPECT_EQ(world.sizer.wanted(), 2);
  world.run(600, 50);
  EXPECT_EQ(world.sizer.wanted(), 5);
}

TEST(Sizer, HoldsWithoutSignals) {
  World world({.lead_s = 30, .start_cost_s = 30, .max = 100});
  world.run(3600, 10);
  const int before = world.sizer.wanted();
  for (int i = 0; i < 7200; ++i)
    EXPECT_EQ(world.sizer.observe(++world.now, std::nullopt, world.ready), before);
}

// The price is what the objective needs: with the same load, less may stay
// unserved, and it is higher.
TEST(Sizer, AStricterObjectiveHasAHigherPrice) {
  World strict({.objective = 0.0005, .lead_s = 60, .start_cost_s = 60, .max = 100});
  World lax({.objective = 0.02, .lead_s = 60, .start_cost_s = 60, .max = 100});
  strict.run(86'400, 6, 1.5);
  lax.run(86'400, 6, 1.5);
  EXPECT_GT(strict.sizer.price(), 2 * lax.sizer.price());
  EXPECT_LT(strict.unserved, lax.unserved);
}

// A flash of a height never seen before, once in two days: some of it is kept for the next, which
// may come, but by far not all, all the time.
TEST(Sizer, OneFlashIsNotPaidForAllDay) {
  const auto cost_after = [](bool flash) {
    World world({.lead_s = 90, .start_cost_s = 90, .max = 1000});
    world.run(2 * 86'400, 3, 1.5);
    world.run(300, flash ? 150 : 3, 1.5);
    world.run(4 * 3600, 3, 1.5);
    world.cost = 0;
    world.run(20 * 3600, 3, 1.5);
    return world.cost;
  };
  EXPECT_LT(cost_after(true), 6 * cost_after(false));  // 50 times would hold all of it
}

}  // namespace
}  // namespace hive::decide::autoscale
