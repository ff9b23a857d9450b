// Managers that die, over a Swarm and a cloud in memory: the controller's parts are put together as
// in production, a second a turn, controllers die between any two effects, and the cloud lies and
// fails. Never are there two machines of one name, never is the quorum given away, and when the
// faults are over all managers are there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "cloud/fake/fake_cloud.h"
#include "controller/cloud_watch.h"
#include "controller/kind_base.h"
#include "controller/operations.h"
#include "engine/fake/fake_engine.h"

namespace hive::controller {
namespace {

constexpr int kManagers = 3;

// A manager's controller: what it has in mind dies with it.
struct StormLeader {
  StormLeader(engine::Engine& engine, cloud::fake::FakeCloud& cloud, const Clock& clock,
              std::uint64_t seed)
      : operations({engine,
                    [&cloud]() -> Result<std::unique_ptr<cloud::Cloud>> { return cloud.client(); }},
                   clock, history, executor, operation_kinds(), Random(seed)) {}
  store::History history{""};
  ManualExecutor executor;
  Operations operations;
};

class StormCluster {
 public:
  StormCluster(std::uint64_t seed, bool with_group) : random(seed) {
    if (with_group) cloud.group = cloud::WorkerGroup{0, 4, 0, ""};
    for (int number = 1; number <= kManagers; ++number) {
      const auto one = cloud.add(name_of(number), "manager");
      join(one);
      EXPECT_TRUE(cloud.register_instance(one.id));
    }
    cloud.on_join = [this](const cloud::Instance& one, const cloud::SwarmPlace& place) {
      EXPECT_EQ(place.token, engine.join_tokens()->manager);
      join(one);
    };
    cloud.on_terminate = [this](const cloud::Instance& one) { ended(one); };
    new_leader();
  }

  static std::string name_of(int number) { return "shop-manager-" + std::to_string(number); }
  void new_leader() {
    if (leader) leader->executor.drop();
    leader = std::make_unique<StormLeader>(engine, cloud, clock, 1 + random.below(1'000));
  }
  void join(const cloud::Instance& one) {
    engine.add_node(one.hostname, model::Role::kManager, one.address);
  }
  void ended(const cloud::Instance& one) {
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes)
      EXPECT_FALSE(node.hostname == one.hostname && node.state == model::NodeState::kReady)
          << one.hostname << " is ended, and is a ready node";
  }

  struct Quorum {
    int managers = 0;
    int answer = 0;
    bool holds() const { return 2 * answer > managers; }
  };
  Quorum quorum() {
    Quorum out;
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes) {
      if (node.manager_reachability.empty()) continue;
      ++out.managers;
      if (node.state == model::NodeState::kReady) ++out.answer;
    }
    return out;
  }
  // One of the file's managers, unless Swarm would end with it.
  void kill_one() {
    if (Quorum{quorum().managers, quorum().answer - 1}.holds())
      kill(name_of(1 + static_cast<int>(random.below(kManagers))));
  }
  void kill(const std::string& name) {
    for (const auto& one : std::vector<cloud::Instance>(cloud.instances))
      if (one.hostname == name) cloud.die(one.id);
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes)
      if (node.hostname == name) engine.set_node_state(node.id, model::NodeState::kDown);
  }

  std::shared_ptr<World> look() {
    auto world = std::make_shared<World>();
    world->settings.name = "shop";
    world->settings.managers = kManagers;
    world->settings.replace_managers = replaces;
    world->settings.rebalance = false;
    world->snapshot.taken_at = clock.now();
    world->snapshot.self_is_leader = true;
    world->now_unix_ms =
        std::chrono::duration_cast<Milliseconds>(clock.wall_now().time_since_epoch()).count();
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes) world->snapshot.nodes[node.id] = node;
    if (rolls_out) world->snapshot.services["s"].update_state = "updating";
    if (!cloud_silent) {
      world->cloud = *look_at_cloud(cloud, clock);
      world->cloud->has_balancer = true;
    }
    return world;
  }
  void turn() {
    clock.advance(Milliseconds(1'000));
    const auto world = look();
    auto records = leader->operations.read();
    if (records) leader->operations.step(world, *records);
    leader->executor.run();
    check();
  }
  void check() {
    std::map<std::string, int> machines;
    for (const auto& one : cloud.instances)
      if (++machines[one.hostname] > 1) ADD_FAILURE() << one.hostname << " is there twice";
    EXPECT_TRUE(quorum().holds());
    int under_way = 0;
    for (const auto& record : leader->operations.records())
      if (holds_managers(record)) ++under_way;
    EXPECT_LE(under_way, 1) << "one at a time";
  }
  bool whole() {
    int ready = 0;
    const auto nodes = engine.list_nodes({});
    for (const auto& node : *nodes) {
      if (node.role != model::Role::kManager || node.state != model::NodeState::kReady)
        return false;
      if (node.hostname != "manager-1") ++ready;
    }
    return ready == kManagers && cloud.instances.size() == kManagers &&
           cloud.status.targets.size() == kManagers && !leader->operations.any_active();
  }
  // Comes to be whole, and stays so.
  bool settles(int seconds) {
    for (int s = 0; s < seconds && !::testing::Test::HasFailure(); ++s) {
      cloud.boot();
      turn();
      if (!whole()) continue;
      for (int i = 0; i < 60; ++i) turn();
      if (whole()) return true;
    }
    return false;
  }

  Random random;
  ManualClock clock;
  engine::fake::FakeEngine engine;  // its own manager, which leads, is none of the file's
  cloud::fake::FakeCloud cloud;
  bool cloud_silent = false;
  bool replaces = true;
  bool rolls_out = false;
  std::unique_ptr<StormLeader> leader;
};

class ManagerStorm : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Clouds, ManagerStorm, ::testing::Bool(), [](const auto& with_group) {
  return with_group.param ? "Group" : "ByName";
});

TEST_P(ManagerStorm, ADeadManagerIsDemotedRemovedAndReplaced) {
  StormCluster world(1, GetParam());
  world.kill("shop-manager-2");
  for (int i = 0; i < 59; ++i) world.turn();
  EXPECT_EQ(world.quorum().managers, 1 + kManagers) << "it may come back";
  EXPECT_TRUE(world.settles(300));
  EXPECT_EQ(world.cloud.launches.size(), 1U);
  EXPECT_EQ(world.cloud.launches[0].hostname, "shop-manager-2");
}

// One of three managers and a worker die with it, and there is no capacity for a while.
TEST_P(ManagerStorm, ALostZoneTakesNeitherTheQuorumNorAMachineForGood) {
  StormCluster world(3, GetParam());
  const auto worker = world.cloud.add("shop-worker-1", "worker");
  world.engine.add_node(worker.hostname, model::Role::kWorker, worker.address);
  for (int i = 0; i < 3; ++i)
    world.cloud.fail_launches.push_back(
        {Errc::kResourceExhausted, "no capacity", Milliseconds(60'000)});
  world.cloud.detour = "no capacity in zone a; it comes in zone b instead";
  world.kill("shop-manager-2");
  world.kill("shop-worker-1");
  EXPECT_TRUE(world.settles(900));
  EXPECT_EQ(world.cloud.launches.size(), 1U);
  std::set<std::string> reasons;
  for (const auto& event : world.leader->history.list(0, 1'000)) reasons.insert(event.reason);
  EXPECT_EQ(reasons.count(world.cloud.detour), 1U);
}

TEST_P(ManagerStorm, SwitchedOffItIsRemovedAndNotReplaced) {
  StormCluster world(2, GetParam());
  world.replaces = false;
  world.kill("shop-manager-2");
  for (int i = 0; i < 300; ++i) world.turn();
  EXPECT_EQ(world.quorum().managers, kManagers);
  EXPECT_TRUE(world.cloud.launches.empty());
}

// The controller dies before, or just after, each of a replacement's effects in turn.
TEST_P(ManagerStorm, AControllersDeathAtEachEffect) {
  for (int victim = 0; victim < 9; ++victim) {
    for (const bool after : {false, true}) {
      SCOPED_TRACE("job " + std::to_string(victim) + (after ? ", after" : ", before"));
      StormCluster world(3, GetParam());
      world.cloud.lists_late = true;
      world.kill("shop-manager-3");
      int jobs = 0;
      for (int s = 0; s < 200; ++s) {
        world.cloud.boot();
        world.clock.advance(Milliseconds(1'000));
        auto records = world.leader->operations.read();
        ASSERT_TRUE(records);
        world.leader->operations.step(world.look(), *records);
        const bool due = world.leader->executor.waiting() > 0 && jobs++ == victim;
        if (!due || after) world.leader->executor.run();
        if (due) world.new_leader();
        if (s % 40 == 39) world.cloud.show();
        world.check();
      }
      EXPECT_GT(jobs, victim) << "the death must come";
      world.cloud.lists_late = false;
      world.cloud.show();
      EXPECT_TRUE(world.settles(1'500));
      EXPECT_EQ(world.cloud.launches.size(), 1U) << "none twice";
    }
  }
}

TEST_P(ManagerStorm, WithFaultsItKeepsItsBoundsAndConvergesAfterThem) {
  const auto seed = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  StormCluster world(seed, GetParam());
  auto& random = world.random;
  const auto one_of = [&](std::uint64_t many) { return random.below(many) == 0; };
  for (int i = 0; i < 1'500 && !::testing::Test::HasFailure(); ++i) {
    if (one_of(5)) world.cloud.boot();
    // What is not called does not fail, and would fail later.
    world.engine.fail_no_more();
    if (one_of(60) && world.cloud.fail_launches.empty())
      world.cloud.fail_launches.push_back({Errc::kResourceExhausted, "no capacity", {}});
    if (one_of(60) && world.cloud.fail_launches.empty())
      world.cloud.fail_launches.push_back({Errc::kThrottled, "slow down", {}});
    if (one_of(40)) world.cloud.lost_answers = 1;
    if (one_of(30) && world.cloud.fail_others.empty())
      world.cloud.fail_others.push_back({Errc::kUnavailable, "hiccup", {}});
    if (one_of(40)) world.cloud.starts_hung = !world.cloud.starts_hung;
    if (one_of(20)) world.cloud.lists_late = !world.cloud.lists_late;
    if (one_of(10)) world.cloud.show();
    if (one_of(20)) world.engine.fail_next("update_config", {Errc::kConflict, "stale", {}});
    if (one_of(20)) world.engine.fail_next("create_config", {Errc::kUnavailable, "lost", {}});
    if (one_of(50)) world.engine.fail_next("update_node", {Errc::kUnavailable, "lost", {}});
    if (one_of(50)) world.engine.fail_next("remove_node", {Errc::kUnavailable, "lost", {}});
    if (one_of(50)) world.rolls_out = !world.rolls_out;
    world.cloud_silent = one_of(10);
    if (one_of(100)) world.kill_one();
    if (one_of(20)) world.new_leader();
    world.turn();
  }
  world.cloud.fail_launches.clear();
  world.cloud.fail_others.clear();
  world.engine.fail_no_more();
  world.cloud.lost_answers = 0;
  world.cloud.starts_hung = world.cloud.lists_late = false;
  world.cloud.show();
  world.cloud_silent = world.rolls_out = false;
  // What is hung is given up after ten minutes, three times, and what failed is begun anew ten
  // minutes later.
  EXPECT_TRUE(world.settles(6'000)) << world.leader->operations.list().dump(2);
}

}  // namespace
}  // namespace hive::controller
