#include "decide/fleet/need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/placement/scene.h"

namespace hive::decide::fleet {
namespace {

using placement::scene::add_node;
using placement::scene::add_service;
using placement::scene::add_task;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Shape kTwoCpus{2'000'000'000, std::int64_t{8} << 30};

TEST(Need, AsksForAllMissingNodesAtOnce) {
  model::Snapshot now;
  add_node(now, "a", 2);
  add_service(now, "web", 1'000);
  add_task(now, "web", 1, "a");
  const Wants wants{{"web", 7}};
  const Need missing = need({now, wants, {}, kTwoCpus, 0, 10});
  EXPECT_EQ(missing.nodes, 3) << "1 fits here, 5 need three nodes of two";
  EXPECT_EQ(missing.waiting, 5);
  EXPECT_EQ(missing.what, "5 replicas of shop_web");
  EXPECT_EQ(need({now, wants, {}, kTwoCpus, 2, 10}).nodes, 1) << "two are on their way";
  EXPECT_EQ(need({now, wants, {}, kTwoCpus, 0, 2}).nodes, 2);
}

TEST(Need, PendingTasksOfAnyServiceCount) {
  model::Snapshot now;
  add_node(now, "a", 1);
  add_service(now, "web", 1'000);
  add_service(now, "job", 400);
  add_task(now, "web", 1, "a");
  add_task(now, "job", 1, "");
  EXPECT_EQ(need({now, Wants{{"web", 1}, {"job", 1}}, {}, kTwoCpus, 0, 5}).nodes, 1);
}

TEST(Need, WhatNoWorkerTakesIsSaidAndStartsNone) {
  model::Snapshot now;
  add_node(now, "m", 8, model::Role::kManager);
  auto& big = add_service(now, "big", 4'000);
  big.constraints = {"node.role==worker"};
  auto& zone = add_service(now, "zone", 100);
  zone.constraints = {"node.labels.zone==a"};
  const Need missing = need({now, Wants{{"big", 1}, {"zone", 2}}, {}, kTwoCpus, 0, 5});
  EXPECT_EQ(missing.nodes, 0);
  EXPECT_EQ(missing.unplaceable, 3);
  EXPECT_THAT(missing.impossible, ElementsAre(HasSubstr("1 replica of shop_big fit on no worker"),
                                              HasSubstr("2 replicas of shop_zone")));
}

TEST(Need, WithoutANodeItsTasksNeedAnotherPlace) {
  model::Snapshot now;
  add_node(now, "a", 2);
  add_node(now, "b", 2);
  add_service(now, "web", 1'000);
  for (int slot : {1, 2}) add_task(now, "web", slot, "a");
  add_task(now, "web", 3, "b");
  EXPECT_EQ(need({now, Wants{{"web", 3}}, {"b"}, kTwoCpus, 0, 5}).nodes, 1);
  EXPECT_EQ(need({now, Wants{{"web", 2}}, {"b"}, kTwoCpus, 0, 5}).nodes, 0);
}

TEST(Need, AWorkersShapeIsTheSmallestThatIsThere) {
  model::Snapshot now;
  EXPECT_EQ(worker_shape(now), Shape{});
  add_node(now, "m", 8, model::Role::kManager);
  EXPECT_EQ(worker_shape(now).nano_cpus, 8'000'000'000);
  add_node(now, "a", 4);
  add_node(now, "b", 2);
  EXPECT_EQ(worker_shape(now).nano_cpus, 2'000'000'000);
}

}  // namespace
}  // namespace hive::decide::fleet
