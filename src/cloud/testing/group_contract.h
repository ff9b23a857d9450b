// What every cloud promises that names its machines itself (cloud.h, WorkerGroup): one test for all
// of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "cloud/cloud.h"

namespace hive::cloud::testing {

// A group of 1 to 4 workers, of which one serves.
struct GroupUnderTest {
  Cloud& cloud;
  std::function<void()> turn;             // the group's: starts what is missing
  std::function<void(bool there)> stock;  // whether it gets instances
};

inline std::vector<Instance> members(Cloud& cloud, Membership membership) {
  std::vector<Instance> out;
  const auto all = cloud.list_instances();
  EXPECT_TRUE(all);
  for (const auto& one : *all)
    if (one.role == "worker" && one.membership == membership) out.push_back(one);
  return out;
}

inline void raises_to_a_number(const GroupUnderTest& at) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(at.cloud.raise_workers(3));
  ASSERT_TRUE(at.cloud.raise_workers(2));
  EXPECT_EQ(at.cloud.raise_workers(5).error().code, Errc::kFailedPrecondition);
  EXPECT_EQ(at.cloud.worker_group()->desired, 3);
  at.turn();
  at.turn();
  const auto came = members(at.cloud, Membership::kComing);
  ASSERT_EQ(came.size(), 2U);
  for (const auto& one : came) {
    EXPECT_EQ(one.hold, Hold::kLaunching);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(at.cloud.release_hold(one)) << "the second is late";
  }
  EXPECT_EQ(members(at.cloud, Membership::kServing).size(), 3U);
  EXPECT_EQ(at.cloud.worker_group()->shortage, "");
}

inline void ends_one_for_good(const GroupUnderTest& at) {
  const auto victim = members(at.cloud, Membership::kServing).back();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(at.cloud.terminate(victim.id));
  EXPECT_EQ(at.cloud.worker_group()->desired, 2);
  at.turn();
  const auto ending = members(at.cloud, Membership::kEnding);
  ASSERT_EQ(ending.size(), 1U);
  EXPECT_EQ(ending[0].id, victim.id);
  EXPECT_EQ(ending[0].hold, Hold::kEnding);
  ASSERT_TRUE(at.cloud.release_hold(ending[0]));
  at.turn();
  EXPECT_TRUE(members(at.cloud, Membership::kEnding).empty());
  EXPECT_EQ(members(at.cloud, Membership::kServing).size(), 2U);
}

inline void replaces_what_is_given_up(const GroupUnderTest& at) {
  ASSERT_TRUE(at.cloud.raise_workers(3));
  at.turn();
  const auto first = members(at.cloud, Membership::kComing);
  ASSERT_EQ(first.size(), 1U);
  ASSERT_TRUE(at.cloud.give_up_hold(first[0]));
  at.turn();
  const auto second = members(at.cloud, Membership::kComing);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(second[0].id, first[0].id);
  EXPECT_EQ(at.cloud.worker_group()->desired, 3);
  ASSERT_TRUE(at.cloud.release_hold(second[0]));
  for (const auto& one : members(at.cloud, Membership::kEnding))
    ASSERT_TRUE(at.cloud.release_hold(one));
}

inline void tells_a_shortage_and_forgoes(const GroupUnderTest& at) {
  at.stock(false);
  ASSERT_TRUE(at.cloud.raise_workers(4));
  at.turn();
  EXPECT_NE(at.cloud.worker_group()->shortage, "");
  ASSERT_TRUE(at.cloud.forgo_workers());
  EXPECT_EQ(at.cloud.worker_group()->desired, 3) << "what is there stays";
  EXPECT_EQ(at.cloud.worker_group()->shortage, "");
  at.stock(true);
  at.turn();
  EXPECT_EQ(members(at.cloud, Membership::kServing).size(), 3U);
  EXPECT_TRUE(members(at.cloud, Membership::kComing).empty());
}

inline void keeps_the_groups_contract(const GroupUnderTest& at) {
  ASSERT_EQ(*at.cloud.worker_group(), (WorkerGroup{1, 4, 1, ""}));
  EXPECT_EQ(at.cloud.launch({.role = "worker"}).error().code, Errc::kUnsupported);
  raises_to_a_number(at);
  ends_one_for_good(at);
  replaces_what_is_given_up(at);
  tells_a_shortage_and_forgoes(at);
}

}  // namespace hive::cloud::testing
