// Plans for an application or a network balancer: by a model of what AWS makes of each step.
#include "cloud/aws/plan_v2.h"

#include <gmock/gmock.h>

#include <random>

#include "base/random.h"
#include "cloud/aws/testing/model_world.h"

namespace hive::cloud::aws {
namespace {

using testing::apply_all;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ModelWorld;
using ::testing::Not;
using ::testing::SizeIs;
using testing::subjects;

Settings settings(BalancerType type) {
  Settings out;
  out.cluster = "shop";
  out.region = "eu-central-1";
  out.manager_type = "t3.medium";
  out.workers_min = 2;
  out.workers_max = 8;
  out.worker_types = {"m5.large"};
  out.balancer = type;
  out.listeners = {{80, 8080}, {443, 8080, "HTTPS", "HTTP", "arn:acm"}, {5000, 5000}};
  out.sources = {"0.0.0.0/0"};
  out.image = "ami-1";
  out.draining_s = 90;
  return out;
}

Place two_zones() {
  return {.vpc = "vpc-1",
          .subnets = {{.id = "subnet-a", .zone = "a"}, {.id = "subnet-b", .zone = "b"}},
          .image = {.id = "ami-1", .name = "debian", .root_device = "/dev/xvda"}};
}

Desired desired_v2(const Settings& from) { return desired_of(from, two_zones()); }
Desired desired_v2(BalancerType type) { return desired_v2(settings(type)); }

ModelWorld built(BalancerType type) {
  ModelWorld model(desired_v2(type));
  apply_all(model, plan_up(desired_v2(type), model.world));
  return model;
}

class PlanV2 : public ::testing::TestWithParam<BalancerType> {};
INSTANTIATE_TEST_SUITE_P(Types, PlanV2,
                         ::testing::Values(BalancerType::kApplication, BalancerType::kNetwork),
                         [](const auto& one) { return std::string(to_string(one.param)); });

TEST_P(PlanV2, FromNothingMakesAllAndThenNothing) {
  ModelWorld model(desired_v2(GetParam()));
  const auto plan = plan_up(desired_v2(GetParam()), model.world);
  EXPECT_THAT(plan.refusals, IsEmpty());
  EXPECT_THAT(render(plan), Not(HasSubstr("Classic")));
  apply_all(model, plan);
  EXPECT_THAT(subjects(plan_up(desired_v2(GetParam()), model.world)), IsEmpty());
  // Two listeners share a port of the nodes.
  EXPECT_THAT(model.world.target_groups, SizeIs(2));
  EXPECT_THAT(model.world.v2_balancer->listeners, SizeIs(3));
  EXPECT_THAT(model.world.workers->group.spec.target_groups, SizeIs(2));
  EXPECT_THAT(model.world.workers->group.spec.balancers, IsEmpty());
  EXPECT_FALSE(model.world.balancer);
  for (const auto& [name, state] : model.world.target_groups) {
    EXPECT_THAT(state.registered, SizeIs(3)) << name;
    EXPECT_EQ(state.attributes.at("deregistration_delay.timeout_seconds"), "90") << name;
  }
}

TEST(PlanV2Listeners, AreWhatTheTypeSpeaks) {
  std::vector<std::string> spoken;
  for (const auto type : {BalancerType::kApplication, BalancerType::kNetwork})
    for (const auto& one : desired_v2(type).v2.listeners) spoken.push_back(one.protocol);
  EXPECT_THAT(spoken, ElementsAre("HTTP", "HTTPS", "HTTP", "TCP", "TLS", "TCP"));
  const auto network = desired_v2(BalancerType::kNetwork);
  EXPECT_EQ(network.v2.target_groups.at("hive-shop-tcp-8080").protocol, "TCP");
  EXPECT_EQ(network.v2.target_attributes.at("preserve_client_ip.enabled"), "true");
  EXPECT_EQ(network.v2.attributes.at("load_balancing.cross_zone.enabled"), "true");
  // AWS refuses attributes that a type does not have.
  const auto application = desired_v2(BalancerType::kApplication);
  EXPECT_EQ(application.v2.target_attributes.count("preserve_client_ip.enabled"), 0U);
  EXPECT_EQ(application.v2.attributes.count("load_balancing.cross_zone.enabled"), 0U);
  EXPECT_EQ(application.v2.target_groups.at("hive-shop-http-5000").check.port, "7080");
}

TEST_P(PlanV2, DriftIsShownAndMended) {
  auto model = built(GetParam());
  auto& balancer = *model.world.v2_balancer;
  auto& group = model.world.target_groups.begin()->second;
  group.attributes["deregistration_delay.timeout_seconds"] = "300";
  group.group.check.path = "/";
  group.registered.erase(group.registered.begin());
  model.world.workers->group.spec.target_groups.erase(group.group.arn);
  balancer.attributes.clear();
  balancer.listeners.push_back(
      {.arn = "arn:listener/9", .port = 9, .target_group = group.group.arn});
  balancer.listeners[1].certificate = "arn:old";
  balancer.listeners.erase(balancer.listeners.begin());
  const auto plan = plan_up(desired_v2(GetParam()), model.world);
  const auto text = render(plan);
  EXPECT_THAT(text, HasSubstr("~ deregistration_delay.timeout_seconds: 300 -> 90"));
  EXPECT_THAT(text, HasSubstr("~ HTTP:7080/ every 5 s -> HTTP:7080/healthz every 5 s"));
  EXPECT_THAT(text, HasSubstr("443 -> " + desired_v2(GetParam()).v2.listeners[1].target_group +
                              " with arn:old"));
  EXPECT_THAT(text, HasSubstr("- HTTP 9 -> "));
  EXPECT_THAT(plan.steps, SizeIs(8)) << text;
  apply_all(model, plan);
  EXPECT_THAT(subjects(plan_up(desired_v2(GetParam()), model.world)), IsEmpty());
}

// A port of the nodes changes: who takes over is there before the listener leads to it, and what it
// replaces goes after.
TEST_P(PlanV2, AListenerIsLedElsewhereWithoutAGap) {
  auto model = built(GetParam());
  auto other = settings(GetParam());
  other.listeners[0].instance_port = other.listeners[1].instance_port = 9090;
  const auto want = desired_v2(other);
  model.ask(want);
  const auto plan = plan_up(want, model.world);
  std::vector<StepKind> kinds;
  for (const auto& step : plan.steps)
    if (step.subject.find("security group") == std::string::npos) kinds.push_back(step.kind);
  EXPECT_THAT(kinds, ElementsAre(StepKind::kCreateTargetGroup, StepKind::kModifyTargetAttributes,
                                 StepKind::kAttachTargetGroups, StepKind::kRegisterTargets,
                                 StepKind::kModifyV2Listener, StepKind::kModifyV2Listener,
                                 StepKind::kDetachTargetGroups, StepKind::kDeleteTargetGroup));
  apply_all(model, plan);
  EXPECT_THAT(subjects(plan_up(want, model.world)), IsEmpty());
}

TEST(PlanBalancerType, IsNotChangedSilently) {
  const BalancerType all[] = {BalancerType::kClassic, BalancerType::kApplication,
                              BalancerType::kNetwork};
  for (const auto from : all) {
    const auto model = built(from);
    for (const auto to : all) {
      const auto plan = plan_up(desired_v2(to), model.world);
      if (from == to) {
        EXPECT_THAT(plan.refusals, IsEmpty());
        continue;
      }
      ASSERT_THAT(plan.refusals, SizeIs(1));
      EXPECT_THAT(plan.refusals.front(), HasSubstr("load balancer hive-shop is " + in_words(from) +
                                                   ", and the file asks for " + in_words(to)));
      EXPECT_THAT(plan.refusals.front(),
                  HasSubstr("put x-hive.load_balancer.type: " + std::string(to_string(from))));
    }
  }
}

TEST_P(PlanV2, WhatItWillNotDoIsSaid) {
  auto model = built(GetParam());
  model.world.v2_balancer->balancer.internal = true;
  model.world.v2_balancer->balancer.subnets.erase("subnet-a");
  model.world.v2_balancer->balancer.security_groups.clear();
  const auto text = render(plan_up(desired_v2(GetParam()), model.world));
  EXPECT_THAT(text, HasSubstr("is internal: that cannot be changed"));
  EXPECT_THAT(text, HasSubstr("is in subnets subnet-b, the file says subnet-a,subnet-b"));
  EXPECT_THAT(text, HasSubstr("is not in security group hive-shop-balancer"));
}

// AWS would refuse to register it, and the others with it.
TEST_P(PlanV2, AStoppedManagerIsNotRegistered) {
  auto model = built(GetParam());
  model.world.machines[1].state = MachineState::kStopped;
  for (auto& [name, state] : model.world.target_groups)
    state.registered.erase(model.world.machines[1].id);
  EXPECT_THAT(subjects(plan_up(desired_v2(GetParam()), model.world)), IsEmpty());
}

TEST_P(PlanV2, ForeignThingsOfItsNameAreRefusedAndStay) {
  auto model = built(GetParam());
  model.world.v2_balancer->ours = false;
  for (auto& [name, state] : model.world.target_groups) state.ours = false;
  EXPECT_THAT(plan_up(desired_v2(GetParam()), model.world).refusals, SizeIs(3));
  const auto down = plan_down(Names("shop"), model.world);
  EXPECT_THAT(render(down), HasSubstr("is not the cluster's and stays"));
  for (const auto& step : down.steps)
    EXPECT_TRUE(step.kind != StepKind::kDeleteTargetGroup &&
                step.kind != StepKind::kDeleteV2Balancer);
}

TEST(PlanApplication, NeedsTwoZones) {
  auto one = two_zones();
  one.subnets.pop_back();
  const auto of = [&](BalancerType type) {
    return plan_up(desired_of(settings(type), one), {}).refusals;
  };
  ASSERT_THAT(of(BalancerType::kApplication), SizeIs(1));
  EXPECT_THAT(of(BalancerType::kApplication).front(), HasSubstr("two zones"));
  EXPECT_THAT(of(BalancerType::kNetwork), IsEmpty());
}

// A group with a target group that is gone launches nothing.
TEST_P(PlanV2, ATargetGroupThatWasDeletedIsMadeAnewAndAttachedInItsPlace) {
  auto model = built(GetParam());
  const auto name = model.world.target_groups.begin()->first;
  const auto old = model.world.target_groups.at(name).group.arn;
  model.world.target_groups.erase(name);
  model.world.workers->group.spec.target_groups.insert(
      "arn:aws:elasticloadbalancing:r:1:targetgroup/somebodys/1");
  apply_all(model, plan_up(desired_v2(GetParam()), model.world));
  const auto& attached = model.world.workers->group.spec.target_groups;
  EXPECT_THAT(attached, SizeIs(3));
  EXPECT_EQ(attached.count(old), 0U);
  EXPECT_THAT(subjects(plan_up(desired_v2(GetParam()), model.world)), IsEmpty());
}

TEST(PlanClassic, TakesAwayWhatAnotherTypeLeft) {
  ModelWorld model(desired_v2(BalancerType::kNetwork));
  for (const auto& step : plan_up(desired_v2(BalancerType::kNetwork), model.world).steps) {
    if (step.kind == StepKind::kCreateV2Balancer) break;  // killed there
    model.apply(step);
  }
  EXPECT_THAT(model.world.target_groups, SizeIs(2));
  model.ask(desired_v2(BalancerType::kClassic));
  apply_all(model, plan_up(desired_v2(BalancerType::kClassic), model.world));
  EXPECT_THAT(model.world.target_groups, IsEmpty());
  EXPECT_TRUE(model.world.balancer);
}

// Something happens to what was built, by somebody's hand.
void meddle_v2(ModelWorld& model, Random& random) {
  auto& world = model.world;
  switch (random.below(9)) {
    case 0:
      if (world.v2_balancer) world.v2_balancer->listeners.clear();
      return;
    case 1:
      if (world.v2_balancer)
        for (auto& one : world.v2_balancer->listeners) one.target_group = "arn:a/of/others";
      return;
    case 2:
      world.v2_balancer.reset();
      return;
    case 3:
      for (auto& [name, state] : world.target_groups) state.registered.clear();
      return;
    case 4:
      for (auto& [name, state] : world.target_groups) state.attributes.clear();
      return;
    case 5:
      for (auto& [name, state] : world.target_groups) state.group.check = {};
      return;
    case 6:
      if (world.workers) world.workers->group.spec.target_groups.clear();
      return;
    case 7:
      world.workers.reset();
      return;
    default:
      if (!world.machines.empty()) world.machines.pop_back();
  }
}

// The file changes on the way, too.
TEST_P(PlanV2, ConvergesFromAnywhereHoweverOftenItIsCutShort) {
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int run = 0; run < 200; ++run) {
    auto wanted = settings(GetParam());
    ModelWorld model(desired_v2(wanted));
    for (int round = 0; round < 6; ++round) {
      wanted.listeners[0].instance_port = static_cast<std::uint16_t>(8'080 + random.below(3));
      wanted.draining_s = 60 + static_cast<std::uint32_t>(random.below(2));
      model.ask(desired_v2(wanted));
      const auto plan = plan_up(desired_v2(wanted), model.world);
      const auto steps = random.below(plan.steps.size() + 1);  // killed there
      for (std::size_t i = 0; i < steps; ++i) model.apply(plan.steps[i]);
      if (random.below(2) == 0) meddle_v2(model, random);
    }
    apply_all(model, plan_up(desired_v2(wanted), model.world));
    ASSERT_THAT(subjects(plan_up(desired_v2(wanted), model.world)), IsEmpty());
    ASSERT_EQ(model.world.target_groups.size(), desired_v2(wanted).v2.target_groups.size());
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
