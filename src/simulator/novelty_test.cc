#include "simulator/novelty.h"

#include <gtest/gtest.h>

#include "simulator/baselines/fixed.h"
#include "simulator/testing_support.h"

namespace hive::simulator {
namespace {

// A step from 2 to 10 replicas' worth, twice: a boot time of the first is new, nothing of the
// second.
TEST(Novelty, OnlyTheFirstTimeIsNew) {
  std::vector<float> loads;
  for (int round = 0; round < 2; ++round) {
    loads.insert(loads.end(), 100, 2.0F);
    loads.insert(loads.end(), 100, 10.0F);
  }
  const WorldOptions options{.capacity = 1, .boot_s = 30, .initial = 2};
  // The first second shows it: 31 seconds are without what was ordered at its end.
  EXPECT_NEAR(novel_share(load_of(loads), options), 31 * 8 / 2400.0, 1e-6);
}

TEST(Novelty, WhatIsThereAtTheStartIsNotNew) {
  const std::vector<float> loads(100, 7.0F);
  EXPECT_EQ(novel_share(load_of(loads), {.capacity = 1, .boot_s = 30, .initial = 7}), 0);
  EXPECT_GT(novel_share(load_of(loads), {.capacity = 1, .boot_s = 30, .initial = 6}), 0);
}

TEST(Novelty, GapsAreNoTime) {
  std::vector<float> loads(10, 1.0F);
  loads.resize(1000, 0.0F);
  loads.resize(1100, 5.0F);
  Load load = load_of(loads);
  load.gaps = {{10, 1000}};
  EXPECT_NEAR(novel_share(load, {.capacity = 1, .boot_s = 20, .initial = 1}), 21 * 4 / 510.0, 1e-6);
}

}  // namespace
}  // namespace hive::simulator
