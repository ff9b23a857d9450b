#include "cloud/aws/plan.h"

#include <gmock/gmock.h>

#include <random>

#include "base/random.h"
#include "cloud/aws/testing/model_world.h"

namespace hive::cloud::aws {
namespace {

using testing::apply_all;
using ::testing::HasSubstr;
using testing::ModelWorld;
using testing::subjects;

Settings settings() {
  Settings out;
  out.cluster = "shop";
  out.region = "eu-central-1";
  out.manager_type = "t3.medium";
  out.workers_min = 2;
  out.workers_max = 8;
  out.worker_types = {"m5.large", "m5a.large"};
  out.listeners = {{80, 8080}, {5000, 5000}};
  out.sources = {"0.0.0.0/0"};
  out.repositories = {"shop/web"};
  out.image = "ami-1";
  return out;
}

Place place() {
  return {.vpc = "vpc-1",
          .subnets = {{.id = "subnet-a", .zone = "eu-central-1a"},
                      {.id = "subnet-b", .zone = "eu-central-1b"},
                      {.id = "subnet-c", .zone = "eu-central-1c"}},
          .image = {.id = "ami-1", .name = "debian", .root_device = "/dev/xvda"}};
}

Desired desired(const Settings& from = settings()) { return desired_of(from, place()); }

ModelWorld built() {
  ModelWorld model(desired());
  apply_all(model, plan_up(desired(), model.world));
  return model;
}

std::size_t index_of(const std::vector<std::string>& all, const std::string& one) {
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), one) - all.begin());
}

TEST(PlanUp, FromNothingMakesAllInOrderAndThenNothing) {
  ModelWorld model(desired());
  const auto plan = plan_up(desired(), model.world);
  const auto order = subjects(plan);
  const auto before = [&](const char* a, const char* b) {
    EXPECT_LT(index_of(order, a), index_of(order, b)) << a << " before " << b;
    EXPECT_LT(index_of(order, b), order.size()) << b;
  };
  before("instance profile hive-shop-manager", "manager shop-manager-1");
  before("rules of security group hive-shop-nodes", "manager shop-manager-1");
  before("manager shop-manager-3", "worker group hive-shop-workers");
  before("load balancer hive-shop", "worker group hive-shop-workers");
  before("launch template hive-shop-worker", "worker group hive-shop-workers");
  // Who finds the group finds what managers are made from.
  before("launch template hive-shop-manager", "worker group hive-shop-workers");
  apply_all(model, plan);
  EXPECT_EQ(subjects(plan_up(desired(), model.world)), std::vector<std::string>());
  EXPECT_EQ(model.world.machines.size(), 3U);
}

TEST(PlanUp, ManagersGoOverTheZones) {
  const auto text = render(plan_up(desired(), {}));
  for (const char* zone : {"eu-central-1a", "eu-central-1b", "eu-central-1c"})
    EXPECT_THAT(text, HasSubstr(std::string("+ t3.medium in ") + zone));
}

// Where one came after its zone was lost, or had no capacity.
TEST(PlanUp, AManagerInAnotherZoneIsAsGood) {
  auto model = built();
  for (auto& machine : model.world.machines) {
    machine.zone = "eu-central-1c";
    machine.subnet = "subnet-c";
  }
  const auto plan = plan_up(desired(), model.world);
  EXPECT_TRUE(plan.steps.empty()) << render(plan);
  EXPECT_TRUE(plan.notes.empty()) << render(plan);
}

TEST(PlanUp, OnlyWhatTheRunbookNeedsIsOpen) {
  const auto groups = desired().security_groups;
  for (const auto& rule : groups.at("hive-shop-balancer")) {
    EXPECT_TRUE(rule.from_port == 80 || rule.from_port == 5000);
    EXPECT_EQ(rule.from_port, rule.to_port);
  }
  for (const auto& rule : groups.at("hive-shop-nodes"))
    EXPECT_TRUE(rule.cidr.empty()) << "open to " << rule.cidr;
}

TEST(PlanUp, NoSecretInUserData) {
  const auto want = desired();
  for (const auto& spec : {want.manager, want.worker}) {
    EXPECT_THAT(spec.user_data, HasSubstr("#cloud-config"));
    EXPECT_THAT(spec.user_data, HasSubstr("\"cluster\":\"shop\""));
    EXPECT_THAT(spec.user_data, ::testing::Not(HasSubstr("SWMTKN")));
  }
}

TEST(PlanUp, DriftIsShownAndMended) {
  auto model = built();
  model.world.security_groups.at("hive-shop-nodes")
      .ingress.push_back({"tcp", 22, 22, "0.0.0.0/0", ""});
  model.world.workers->group.spec.max = 99;
  model.world.workers->group.suspended.clear();
  model.world.workers->hooks.pop_back();
  model.world.balancer->balancer.listeners.erase({5000, 5000});
  model.world.balancer->balancer.listeners.insert({9000, 9000});
  const auto plan = plan_up(desired(), model.world);
  const auto text = render(plan);
  EXPECT_THAT(text, HasSubstr("- tcp 22 from 0.0.0.0/0"));
  EXPECT_THAT(text, HasSubstr("~ max: 99 -> 8"));
  EXPECT_THAT(text, HasSubstr("+ HTTP 5000 -> HTTP 5000"));
  EXPECT_THAT(text, HasSubstr("- HTTP 9000 -> HTTP 9000"));
  EXPECT_THAT(text, HasSubstr("lifecycle hook hive-terminate"));
  EXPECT_EQ(plan.steps.size(), 6U);
  apply_all(model, plan);
  EXPECT_TRUE(plan_up(desired(), model.world).steps.empty());
}

TEST(PlanUp, TheWarmPoolIsMadeChangedMendedAndTakenAway) {
  auto warm = settings();
  warm.warm_workers = 2;
  ModelWorld model(desired(warm));
  const auto first = plan_up(desired(warm), model.world);
  const auto order = subjects(first);
  EXPECT_LT(index_of(order, "worker group hive-shop-workers"),
            index_of(order, "warm pool of worker group hive-shop-workers"));
  EXPECT_THAT(render(first), HasSubstr("+ 2 more, Stopped"));
  apply_all(model, first);
  EXPECT_TRUE(plan_up(desired(warm), model.world).steps.empty());

  // By hand, or by the file.
  model.world.workers->group.warm_pool =
      WarmPool{.size = 1, .prepared = -1, .state = "Running", .reuses = true};
  const auto mend = plan_up(desired(warm), model.world);
  ASSERT_EQ(mend.steps.size(), 1U);
  EXPECT_EQ(mend.steps[0].details,
            (std::vector<std::string>{"~ size: 1 -> 2", "~ prepared at most: -1 -> 2",
                                      "~ state: Running -> Stopped",
                                      "~ reuse of what the group ends: on -> off"}));
  apply_all(model, mend);
  EXPECT_TRUE(plan_up(desired(warm), model.world).steps.empty());

  const auto without = plan_up(desired(), model.world);
  EXPECT_THAT(render(without), HasSubstr("- warm pool of worker group hive-shop-workers"));
  model.world.workers->group.warm_pool->going = true;
  EXPECT_TRUE(plan_up(desired(), model.world).steps.empty());
  EXPECT_THAT(render(plan_up(desired(warm), model.world)),
              HasSubstr("is being deleted: run this again later"));
  model.world.workers->group.warm_pool->going = false;
  const auto down = subjects(plan_down(Names("shop"), model.world));
  EXPECT_LT(index_of(down, "warm pool of worker group hive-shop-workers"),
            index_of(down, "worker group hive-shop-workers"));
  apply_all(model, without);
  EXPECT_TRUE(plan_up(desired(), model.world).steps.empty());
}

TEST(PlanUp, AManagerThatIsGoneIsMadeAnewAndRegistered) {
  auto model = built();
  model.world.machines.erase(model.world.machines.begin() + 1);
  const auto plan = plan_up(desired(), model.world);
  EXPECT_EQ(subjects(plan), (std::vector<std::string>{"manager shop-manager-2",
                                                      "managers behind load balancer hive-shop"}));
  auto twin = model.world.machines[0];
  twin.id = "i-twin";
  model.world.machines.push_back(twin);
  EXPECT_THAT(render(plan_up(desired(), model.world)),
              HasSubstr("manager shop-manager-1 is there twice: terminate i-twin"));
  model.world.machines.pop_back();
  // One that is on its way out does not count.
  model.world.machines[0].state = MachineState::kShuttingDown;
  EXPECT_EQ(plan_up(desired(), model.world).steps.size(), 3U);
}

TEST(PlanUp, WhatItWillNotDoIsSaid) {
  auto model = built();
  auto other = settings();
  other.manager_type = "t3.large";
  other.managers = 1;
  other.internal = true;
  const auto plan = plan_up(desired(other), model.world);
  const auto text = render(plan);
  EXPECT_THAT(text,
              HasSubstr("manager shop-manager-1 is of type t3.medium, the file says t3.large"));
  EXPECT_THAT(text, HasSubstr("manager shop-manager-3 is one more than the file asks for"));
  EXPECT_THAT(text, HasSubstr("faces the internet: that cannot be changed"));
}

TEST(PlanUp, ForeignThingsOfItsNameAreRefused) {
  auto model = built();
  model.world.balancer->ours = false;
  model.world.roles.at("hive-shop-manager").foreign = true;
  model.world.repositories.at("shop/web").ours = false;
  const auto plan = plan_up(desired(), model.world);
  EXPECT_EQ(plan.refusals.size(), 2U);
  EXPECT_THAT(render(plan), HasSubstr("note: repository shop/web is there without"));
  const auto down = plan_down(Names("shop"), model.world);
  EXPECT_EQ(index_of(subjects(down), "load balancer hive-shop"), down.steps.size());
  EXPECT_EQ(index_of(subjects(down), "role hive-shop-manager"), down.steps.size());
  EXPECT_EQ(index_of(subjects(down), "repository shop/web"), down.steps.size());
}

TEST(PlanUp, ANewImageIsANewTemplateVersionAndNoNewMachine) {
  auto model = built();
  auto newer = place();
  newer.image.id = "ami-2";
  const auto plan = plan_up(desired_of(settings(), newer), model.world);
  EXPECT_EQ(subjects(plan), (std::vector<std::string>{"launch template hive-shop-manager",
                                                      "launch template hive-shop-worker"}));
  EXPECT_EQ(plan.notes.size(), 3U);  // the managers
}

TEST(PlanUp, AStockImageNeedsThePackage) {
  auto stock = settings();
  stock.image = "debian-12-amd64-*";
  const auto plan = plan_up(desired(stock), {});
  ASSERT_EQ(plan.refusals.size(), 1U);
  EXPECT_THAT(plan.refusals.front(), HasSubstr("set x-hive.aws.package"));
  stock.package = "https://example.org/hive.deb";
  EXPECT_TRUE(plan_up(desired(stock), {}).refusals.empty());
  stock.package.clear();
  stock.image_owner = "self";
  EXPECT_TRUE(plan_up(desired(stock), {}).refusals.empty());
}

TEST(PlanUp, NowhereToPutIt) {
  EXPECT_EQ(plan_up(desired_of(settings(), {.vpc = "vpc-1"}), {}).refusals.size(), 1U);
}

TEST(PlanDown, TakesAllAwayAndThenNothing) {
  auto model = built();
  model.world.machines.push_back({.id = "i-worker", .tags = {{kRoleTag, "worker"}}});
  model.world.workers->group.members.push_back({.id = "i-worker"});
  const auto plan = plan_down(Names("shop"), model.world);
  apply_all(model, plan);
  EXPECT_TRUE(model.empty());
  EXPECT_TRUE(plan_down(Names("shop"), model.world).steps.empty());
}

// Something happens to what was built, by somebody's hand.
void meddle(ModelWorld& model, Random& random) {
  auto& world = model.world;
  RoleState& role = world.roles[random.below(2) == 0 ? "hive-shop-manager" : "hive-shop-worker"];
  switch (random.below(14)) {
    case 0:
      if (!world.machines.empty())
        world.machines.erase(world.machines.begin() +
                             static_cast<std::ptrdiff_t>(random.below(world.machines.size())));
      return;
    case 1:
      for (auto& [name, group] : world.security_groups)
        if (!group.ingress.empty()) group.ingress.pop_back();
      return;
    case 2:
      for (auto& [name, group] : world.security_groups)
        group.ingress.push_back({"tcp", 22, 22, "10.0.0.0/8", ""});
      return;
    case 3:
      if (role.role) role.policy = Json::object();
      return;
    case 4:
      role.joined = false;
      return;
    case 5:
      role = RoleState{};
      return;
    case 6:
      if (world.balancer) world.balancer->balancer.listeners.insert({9'999, 1});
      return;
    case 7:
      if (world.balancer) world.balancer->attributes.draining = false;
      return;
    case 8:
      if (world.balancer) world.balancer->balancer.instances.clear();
      return;
    case 9:
      world.workers.reset();
      return;
    case 10:
      if (!world.workers) world.templates.erase("hive-shop-worker");
      world.templates.erase("hive-shop-manager");
      return;
    case 11:
      if (world.workers) world.workers->group.spec.types = {"c5.large"};
      return;
    case 12:
      if (world.workers) world.workers->hooks.clear();
      return;
    default:
      world.repositories.clear();
  }
}

TEST(Plan, ConvergesFromAnywhereHoweverOftenItIsCutShort) {
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int run = 0; run < 300; ++run) {
    ModelWorld model(desired());
    for (int round = 0; round < 6; ++round) {
      const auto plan = plan_up(desired(), model.world);
      const auto steps = random.below(plan.steps.size() + 1);  // killed there
      for (std::size_t i = 0; i < steps; ++i) model.apply(plan.steps[i]);
      if (random.below(2) == 0) meddle(model, random);
    }
    apply_all(model, plan_up(desired(), model.world));
    const auto left = plan_up(desired(), model.world);
    ASSERT_EQ(subjects(left), std::vector<std::string>());
    ASSERT_EQ(model.world.machines.size(), 3U);
    for (int round = 0; round < 3; ++round) {
      const auto plan = plan_down(Names("shop"), model.world);
      const auto steps = random.below(plan.steps.size() + 1);
      for (std::size_t i = 0; i < steps; ++i) model.apply(plan.steps[i]);
    }
    apply_all(model, plan_down(Names("shop"), model.world));
    ASSERT_TRUE(model.empty());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace hive::cloud::aws
