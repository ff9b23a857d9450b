#include "decide/placement/room.h"

#include <gtest/gtest.h>

#include "decide/placement/scene.h"

namespace hive::decide::placement {
namespace {

using scene::add_node;
using scene::add_service;
using scene::add_task;

TEST(Room, CountsReservationsOfWhatRuns) {
  model::Snapshot now;
  add_node(now, "a", 2);
  auto& web = add_service(now, "web", 500);
  add_task(now, "web", 1, "a");
  Room room(now);
  EXPECT_EQ(room.placed("web"), 1);
  EXPECT_EQ(room.place(web, 10), 3);
  EXPECT_FALSE(room.has_place(web));
}

TEST(Room, ATaskThatEndsHoldsItsReservationUntilItIsDead) {
  model::Snapshot now;
  add_node(now, "a", 1);
  auto& web = add_service(now, "web", 1'000);
  auto& task = add_task(now, "web", 1, "a");
  task.desired = model::TaskState::kShutdown;
  EXPECT_EQ(Room(now).place(web, 1), 0);
  EXPECT_EQ(Room(now).placed("web"), 0) << "it does not stay";
  task.state = model::TaskState::kShutdown;
  EXPECT_EQ(Room(now).place(web, 1), 1);
}

TEST(Room, KnowsNodesThatTakeNothing) {
  model::Snapshot now;
  auto& web = add_service(now, "web", 100);
  add_node(now, "down", 2).state = model::NodeState::kDown;
  add_node(now, "paused", 2).availability = model::Availability::kPause;
  add_node(now, "drained", 2).availability = model::Availability::kDrain;
  EXPECT_EQ(Room(now).place(web, 1), 0);
  add_node(now, "m", 2, model::Role::kManager);
  EXPECT_EQ(Room(now).place(web, 1), 1);
  web.constraints = {"node.role==worker"};
  EXPECT_EQ(Room(now).place(web, 1), 0);
  web.constraints = {"node.platform.os==linux"};
  EXPECT_EQ(Room(now).place(web, 1), 1) << "what is not known is taken to fit";
}

TEST(Room, KnowsBoundsOfANode) {
  model::Snapshot now;
  add_node(now, "a", 8);
  auto& web = add_service(now, "web", 0);
  web.max_per_node = 2;
  EXPECT_EQ(Room(now).place(web, 5), 2);
  web.max_per_node = 0;
  EXPECT_EQ(Room(now).place(web, 5), 5) << "without reservations all fit";
  web.ports = {{"tcp", 8080, 8080, model::PublishMode::kHost}};
  EXPECT_EQ(Room(now).place(web, 5), 1);
  web.ports[0].published = 0;
  EXPECT_EQ(Room(now).place(web, 5), 5);
}

}  // namespace
}  // namespace hive::decide::placement
