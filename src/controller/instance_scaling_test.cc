// Workers that follow replicas, over a Swarm and a cloud in memory: the controller's parts are put
// together as in production, a second a turn, and faults come between.
#include "controller/instance_scaling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "cloud/fake/fake_cloud.h"
#include "controller/cloud_watch.h"
#include "controller/launch_part.h"
#include "engine/fake/fake_engine.h"

namespace hive::controller {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int kMin = 1;
constexpr int kMax = 4;
constexpr int kFit = 2;  // replicas on a worker

// One manager's part, over a swarm and a cloud that outlive it.
struct InstanceManager {
  InstanceManager(engine::Engine& engine, cloud::fake::FakeCloud& cloud, ManualClock& clock,
                  std::uint64_t seed)
      : operations({engine,
                    [&cloud]() -> Result<std::unique_ptr<cloud::Cloud>> { return cloud.client(); }},
                   clock, history, executor, operation_kinds(), Random(seed)),
        instances(operations, clock, history, executor) {}

  store::History history{""};
  ManualExecutor executor;
  Operations operations;
  InstanceScaling instances;
};

// How the cloud makes instances: one by one, by name, or as a group at a size.
enum class Makes { kByName, kGroup };

class Cluster {
 public:
  explicit Cluster(std::uint64_t seed, Makes makes = Makes::kByName) : random(seed) {
    cloud.add("manager-1", "manager");
    if (makes == Makes::kGroup) cloud.group = cloud::WorkerGroup{kMin, kMax, kMin, ""};
    for (int i = 0; i < kMin; ++i) {
      auto& one = cloud.add("shop-worker-" + std::to_string(1 + i), "worker");
      if (cloud.group) one.membership = cloud::Membership::kServing;
      join(one);
    }
    cloud.on_join = [this](const cloud::Instance& one, const cloud::SwarmPlace&) { join(one); };
    cloud.on_terminate = [this](const cloud::Instance& one) { ended(one); };
    const Json spec = {{"Name", "shop_web"},
                       {"TaskTemplate",
                        {{"ContainerSpec", {{"Image", "shop:1"}}},
                         {"Placement", {{"Constraints", {"node.role==worker"}}}},
                         {"Resources", {{"Reservations", {{"NanoCPUs", 1'000'000'000}}}}}}},
                       {"Mode", {{"Replicated", {{"Replicas", 1}}}}}};
    service_id = engine.create_service(spec, {})->id;
    new_manager();
  }

  void new_manager() {
    manager = std::make_unique<InstanceManager>(engine, cloud, clock, 1 + random.below(1'000));
  }
  void join(const cloud::Instance& one) {
    engine.add_node(one.hostname, model::Role::kWorker, one.address);
  }
  void ended(const cloud::Instance& one) {
    EXPECT_EQ(one.role, "worker") << one.hostname;
    const auto nodes = engine.list_nodes({});
    const auto tasks = engine.list_tasks({});
    for (const auto& node : *nodes) {
      if (node.hostname != one.hostname) continue;
      for (const auto& task : *tasks)
        EXPECT_FALSE(task.node_id == node.id && task.state <= model::TaskState::kRunning &&
                     task.desired <= model::TaskState::kRunning)
            << one.hostname << " ends with a live task";
    }
    if (deaths == 0) {
      EXPECT_GT(count_workers(cloud.instances), kMin) << "below the minimum";
    }
  }
  // One of the workers that serve, with all that is on it.
  void kill_one() {
    std::vector<cloud::Instance> workers;
    for (const auto& one : cloud.instances)
      if (one.role == "worker") workers.push_back(one);
    if (workers.empty()) return;
    const auto& victim = workers[random.below(workers.size())];
    ++deaths;
    cloud.die(victim.id);
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes)
      if (node.hostname == victim.hostname) engine.set_node_state(node.id, model::NodeState::kDown);
  }

  std::shared_ptr<World> look() {
    auto world = std::make_shared<World>();
    world->settings.name = "shop";
    world->settings.workers = {kMin, kMax, 20'000, 60'000};
    world->settings.rebalance = false;
    world->snapshot.taken_at = clock.now();
    world->snapshot.self_is_leader = true;
    world->now_unix_ms =
        std::chrono::duration_cast<Milliseconds>(clock.wall_now().time_since_epoch()).count();
    const auto nodes = engine.list_nodes({});
    const auto services = engine.list_services({});
    const auto tasks = engine.list_tasks({});
    for (const auto& node : *nodes) {
      world->snapshot.nodes[node.id] = node;
      world->snapshot.nodes[node.id].nano_cpus = kFit * 1'000'000'000LL;
      world->reports[node.id].node_id = node.id;
      world->reported_at[node.id] = clock.now();
    }
    for (const auto& one : *services) {
      world->snapshot.services[one.id] = one;
      world->snapshot.services[one.id].update_state = update_state;
    }
    for (const auto& task : *tasks) {
      world->snapshot.tasks[task.id] = task;
      if (task.state == model::TaskState::kRunning)
        world->reports[task.node_id].containers.push_back(
            {task.id, "c" + task.id, "running", "healthy", "tini", {}});
    }
    if (!cloud_silent) {
      world->cloud = *look_at_cloud(cloud, clock);
      world->cloud->has_balancer = true;
    }
    return world;
  }
  // What autoscaling does: as many as fit, the rest as nodes join.
  void write_replicas(const World& world) {
    if (manager->operations.holders().contains(service_claim(service_id))) return;
    const auto& service = world.snapshot.services.at(service_id);
    const int there = static_cast<int>(service.replicas);
    const int to =
        wanted <= there
            ? wanted
            : there + decide::placement::Room(world.snapshot).place(service, wanted - there);
    if (to == there) return;
    (void)engine::modify_service(engine, service_id, [&](Json& spec) -> Result<bool> {
      spec["Mode"]["Replicated"]["Replicas"] = to;
      return true;
    });
  }
  void turn(int seconds = 1) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance(Milliseconds(1'000));
      const auto world = look();
      write_replicas(*world);
      manager->instances.step(*world, {{service_id, wanted}});
      auto records = manager->operations.read();
      if (records) manager->operations.step(world, *records);
      manager->executor.run();
      if (cloud.group) cloud.fit();
      ASSERT_LE(workers(), kMax);
    }
  }
  // The same, and instances boot at once.
  void boots(int seconds = 1) {
    for (int i = 0; i < seconds; ++i) {
      cloud.boot();
      turn();
    }
  }
  // Those that the group ends are none any more.
  int workers() const {
    return static_cast<int>(std::count_if(
        cloud.instances.begin(), cloud.instances.end(), [](const cloud::Instance& one) {
          return one.role == "worker" && one.membership != cloud::Membership::kEnding;
        }));
  }
  int running() {
    int out = 0;
    const auto tasks = engine.list_tasks({});
    for (const auto& task : *tasks)
      if (task.state == model::TaskState::kRunning && task.desired == model::TaskState::kRunning)
        ++out;
    return out;
  }
  int ready_workers() {
    const auto nodes = engine.list_nodes({});
    return static_cast<int>(std::count_if(nodes->begin(), nodes->end(), [](const auto& node) {
      return node.role == model::Role::kWorker && node.state == model::NodeState::kReady;
    }));
  }
  Json state() { return manager->instances.state(); }
  std::vector<std::string> told(const std::string& kind) {
    std::vector<std::string> out;
    for (const auto& event : manager->history.list(0, 1'000))
      if (event.kind == kind) out.push_back(event.reason);
    return out;
  }

  Random random;
  ManualClock clock;
  engine::fake::FakeEngine engine;
  cloud::fake::FakeCloud cloud;
  std::string service_id;
  std::string update_state;
  int wanted = 1;
  bool cloud_silent = false;
  int deaths = 0;
  std::unique_ptr<InstanceManager> manager;
};

TEST(InstanceScaling, AllThatAreMissingAreStartedInOneMotion) {
  Cluster world(1);
  world.wanted = 7;
  world.turn(2);
  EXPECT_EQ(world.workers(), 4);
  EXPECT_EQ(world.running(), 2) << "what is free is filled at once";
  EXPECT_THAT(world.told("autoscale_instances_out"),
              Contains("1 -> 4: 5 replicas of shop_web find no node with room"));
  EXPECT_EQ(world.state()["coming"].size(), 3U);
  EXPECT_THAT(json_string(world.state(), "reason"), HasSubstr("wait for 3 workers that start"));
  world.boots(10);
  EXPECT_EQ(world.running(), 7);
  EXPECT_TRUE(json_bool(world.state(), "lead_measured"));
}

TEST(InstanceScaling, WhatIsNotNeededForTheWindowIsEmptiedAndEnded) {
  Cluster world(2);
  world.wanted = 4;
  world.boots(20);
  ASSERT_EQ(world.workers(), 2);
  world.wanted = 2;
  world.boots(15);
  EXPECT_EQ(world.workers(), 2) << "the window";
  world.boots(30);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_EQ(world.running(), 2);
  EXPECT_THAT(
      world.told("autoscale_instances_in"),
      Contains(HasSubstr("2 -> 1: not needed for 20 s, and shop-worker-2 is the cheapest")));
}

TEST(InstanceScaling, ARolloutAndASilentCloudBeginNothing) {
  Cluster world(3);
  world.update_state = "updating";
  world.wanted = 8;
  world.turn(5);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_THAT(json_string(world.state(), "reason"), HasSubstr("an update of shop_web"));
  world.update_state.clear();
  world.cloud_silent = true;
  world.turn(5);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_FALSE(json_bool(world.state(), "follow"));
  world.cloud_silent = false;
  world.turn(2);
  EXPECT_EQ(world.workers(), 4);
}

// As after a change of Swarm's leader.
TEST(InstanceScaling, NodesThatDidNotReportYetAreNoReasonForMore) {
  Cluster world(12);
  world.wanted = 1;
  world.turn();
  const auto nodes = world.engine.list_nodes({});
  const auto all_are = [&](model::NodeState state) {
    for (const auto& node : *nodes) world.engine.set_node_state(node.id, state);
  };
  all_are(model::NodeState::kUnknown);
  world.wanted = 2;
  world.turn(5);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_THAT(json_string(world.state(), "reason"), HasSubstr("does not know yet whether"));
  all_are(model::NodeState::kReady);
  world.turn(2);
  EXPECT_EQ(world.workers(), 1) << "there was room";
  EXPECT_EQ(world.running(), 2);
}

// It never reported: nothing runs there, and nothing waits for it.
TEST(InstanceScaling, ANodeThatNeverReportedHoldsNothingUp) {
  Cluster world(13);
  world.turn();
  const auto id = world.engine.add_node("half-joined", model::Role::kWorker, "10.0.0.99");
  world.engine.set_node_state(id, model::NodeState::kUnknown);
  world.wanted = 4;
  world.boots(10);
  EXPECT_EQ(world.workers(), 2);
  EXPECT_EQ(world.running(), 4);
}

TEST(InstanceScaling, AfterAStartThatFailedItWaits) {
  Cluster world(4);
  world.cloud.fail_launches.push_back({Errc::kPermissionDenied, "not allowed here", {}});
  world.wanted = 3;
  world.turn(10);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_THAT(json_string(world.state(), "reason"), HasSubstr("not allowed here"));
  EXPECT_EQ(world.told("autoscale_instances_out").size(), 1U);
  world.turn(60);
  EXPECT_EQ(world.workers(), 2);
}

TEST(InstanceScaling, AnotherManagerGoesOn) {
  Cluster world(5);
  world.wanted = 4;
  world.turn();
  world.new_manager();
  world.boots(10);
  EXPECT_EQ(world.workers(), 2);
  EXPECT_EQ(world.running(), 4);
}

// --- the same where the cloud names its machines itself

TEST(InstanceScaling, AGroupIsRaisedInOneMotion) {
  Cluster world(6, Makes::kGroup);
  world.wanted = 7;
  world.turn(2);
  EXPECT_THAT(world.cloud.raises, ::testing::ElementsAre(4)) << "an absolute size, once";
  EXPECT_EQ(world.running(), 2) << "what is free is filled at once";
  EXPECT_THAT(world.told("autoscale_instances_out"),
              Contains("1 -> 4: 5 replicas of shop_web find no node with room"));
  world.turn(2);
  EXPECT_EQ(world.state()["coming"].size(), 3U);
  EXPECT_THAT(json_string(world.state(), "reason"), HasSubstr("wait for 3 workers that start"));
  world.boots(10);
  EXPECT_EQ(world.running(), 7);
  EXPECT_EQ(world.cloud.status.targets.size(), 3U) << "those that came serve";
  EXPECT_TRUE(json_bool(world.state(), "lead_measured"));
  EXPECT_EQ(world.told("autoscale_instances_out").size(), 1U);
}

TEST(InstanceScaling, AMemberThatIsNotNeededLeavesThroughItsGroup) {
  Cluster world(7, Makes::kGroup);
  world.wanted = 4;
  world.boots(20);
  ASSERT_EQ(world.workers(), 2);
  world.wanted = 2;
  world.boots(60);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_EQ(world.cloud.instances.size(), 2U) << "it is let go, and not only called ended";
  EXPECT_EQ(world.cloud.group->desired, 1);
  EXPECT_EQ(world.running(), 2);
}

TEST(InstanceScaling, MoreAreAskedForWhileOthersCome) {
  Cluster world(8, Makes::kGroup);
  world.wanted = 4;
  world.turn(3);
  world.wanted = 6;
  world.turn(3);
  EXPECT_THAT(world.cloud.raises, ::testing::ElementsAre(2, 3));
  world.boots(10);
  EXPECT_EQ(world.running(), 6);
  EXPECT_FALSE(world.manager->operations.any_active());
}

TEST(InstanceScaling, AShortageIsShownAndNotAskedForAgain) {
  Cluster world(9, Makes::kGroup);
  world.cloud.no_capacity = true;
  world.wanted = 6;
  world.turn(120);
  EXPECT_THAT(world.cloud.raises, ::testing::ElementsAre(3));
  EXPECT_EQ(json_string(world.state(), "trouble"), "no m5.large is left");
  EXPECT_EQ(world.state()["asked_for"], 2);
  EXPECT_EQ(world.running(), 2);
  world.turn(600);
  EXPECT_LE(world.cloud.raises.size(), 2U) << "after ten minutes it is asked anew";
  world.cloud.no_capacity = false;
  world.boots(100);
  EXPECT_EQ(world.running(), 6);
}

TEST(InstanceScaling, AnotherManagerGoesOnWithAGroup) {
  Cluster world(10, Makes::kGroup);
  world.wanted = 4;
  world.turn();
  world.new_manager();
  world.boots(10);
  EXPECT_THAT(world.cloud.raises, ::testing::ElementsAre(2));
  EXPECT_EQ(world.running(), 4);
}

// --- workers that die

TEST(InstanceScaling, ADeadWorkerBelowTheMinimumIsReplaced) {
  Cluster world(11);
  world.wanted = 0;  // else the replicas would ask for it
  world.boots(3);
  world.kill_one();
  world.boots(55);
  EXPECT_EQ(world.workers(), 0) << "it may come back";
  world.boots(30);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_THAT(world.told("autoscale_instances_out"), Contains(HasSubstr("died, and x-hive")));
}

TEST(InstanceScaling, AReplacementThatFailsIsTriedAgain) {
  Cluster world(12);
  world.wanted = 0;
  world.boots(3);
  world.kill_one();
  for (int i = 0; i < 2; ++i)
    world.cloud.fail_launches.push_back({Errc::kPermissionDenied, "not allowed here", {}});
  world.boots(100);
  EXPECT_EQ(world.workers(), 0);
  EXPECT_THAT(json_string(world.state(), "reason"), HasSubstr("not allowed here"));
  world.boots(200);
  EXPECT_EQ(world.workers(), 1);
  EXPECT_EQ(world.told("autoscale_instances_out").size(), 3U);
}

TEST(InstanceScaling, OneThatAPersonEndedIsNotReplaced) {
  Cluster world(13);
  world.wanted = 0;
  world.boots(5);
  world.deaths = 1;  // below the minimum, by a person's wish
  ASSERT_TRUE(world.manager->operations.create(
      {.id = "", .kind = "instance_terminate", .by = "root", .request = {{"instance", "i-2"}}}));
  world.boots(300);
  EXPECT_EQ(world.workers(), 0);
}

// Faults for ten minutes, then none: nothing breaks meanwhile, and then all is as it shall be.
void storm(Cluster& world, int seconds, bool with_deaths = false) {
  auto& random = world.random;
  const auto one_of = [&](std::uint64_t many) { return random.below(many) == 0; };
  for (int i = 0; i < seconds && !::testing::Test::HasFailure(); ++i) {
    if (one_of(25)) world.wanted = static_cast<int>(random.below(10));
    if (one_of(5)) world.cloud.boot();
    if (one_of(15))
      world.cloud.fail_launches.push_back({Errc::kResourceExhausted, "no capacity", {}});
    if (one_of(30)) world.cloud.fail_others.push_back({Errc::kUnavailable, "hiccup", {}});
    if (one_of(40)) world.cloud.starts_hung = !world.cloud.starts_hung;
    if (one_of(20)) world.engine.fail_next("update_config", {Errc::kConflict, "stale", {}});
    if (one_of(20)) world.engine.fail_next("create_config", {Errc::kUnavailable, "lost", {}});
    if (one_of(100)) world.engine.fail_next("update_node", {Errc::kUnavailable, "lost", {}});
    if (one_of(50)) world.update_state = world.update_state.empty() ? "updating" : "";
    world.cloud_silent = one_of(10);
    if (one_of(30)) world.cloud.no_capacity = !world.cloud.no_capacity;
    if (with_deaths && one_of(100)) world.kill_one();
    if (one_of(30)) {
      world.manager->executor.drop();
      world.new_manager();
    }
    world.turn();
  }
}

void heal(Cluster& world) {
  world.cloud.fail_launches.clear();
  world.cloud.fail_others.clear();
  world.engine.fail_no_more();
  world.cloud.starts_hung = false;
  world.cloud.no_capacity = false;
  world.cloud_silent = false;
  world.update_state.clear();
}

// What has hung since a fault is given up after ten minutes, and what failed is asked for again.
constexpr int kConverged = 1'500;

// Comes to what `there` says within that time, with nothing under way, and stays so.
bool settles(Cluster& world, const std::function<bool()>& there) {
  const auto now = [&] { return there() && !world.manager->operations.any_active(); };
  for (int s = 0; s < kConverged && !::testing::Test::HasFailure(); s += 50) {
    world.boots(50);
    if (!now()) continue;
    world.boots(120);
    if (now()) return true;
  }
  return false;
}

class Storm : public ::testing::TestWithParam<Makes> {};
INSTANTIATE_TEST_SUITE_P(Clouds, Storm, ::testing::Values(Makes::kByName, Makes::kGroup),
                         [](const auto& makes) {
                           return makes.param == Makes::kGroup ? "Group" : "ByName";
                         });

TEST_P(Storm, WithFaultsItKeepsItsBoundsAndConvergesAfterThem) {
  const auto seed = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Cluster world(seed, GetParam());
  storm(world, 600);
  heal(world);
  for (const int wanted : {7, 3}) {
    world.wanted = wanted;
    const int needed = (wanted + kFit - 1) / kFit;
    EXPECT_TRUE(
        settles(world, [&] { return world.running() == wanted && world.workers() == needed; }))
        << world.running() << " of " << wanted << " run on " << world.workers() << " workers, "
        << needed << " are needed: " << world.state().dump(2);
  }
}

// Swarm's stand-in crowds on what is left, so that no more than the minimum is promised.
TEST_P(Storm, AfterWorkersDiedThereAreAtLeastTheMinimum) {
  const auto seed = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Cluster world(seed, GetParam());
  storm(world, 600, true);
  heal(world);
  // All at once, in the end, and no replica asks for any.
  world.wanted = 0;
  const auto enough = [&] { return world.workers() >= kMin && world.ready_workers() > 0; };
  EXPECT_TRUE(settles(world, enough)) << world.state().dump(2);
  for (int i = 0; i < kMax; ++i) world.kill_one();
  EXPECT_TRUE(settles(world, enough)) << world.state().dump(2);
}

}  // namespace
}  // namespace hive::controller
