#include "decide/autoscale/autoscaler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace hive::decide::autoscale {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

// 2024-02-28, a Wednesday.
constexpr std::int64_t kSomeWednesday = 1'709'078'400;

Policy policy() {
  Policy out{.min = 2, .max = 40};
  out.target.requests_per_replica = 50;
  return out;
}

// A service whose replicas serve at once; a test sets its view's signals.
struct Service {
  explicit Service(Policy given, int lead_s = 30) : scaler(std::move(given), lead_s) {
    view.unix_s = kSomeWednesday;
    view.ready = 4;
    view.lead_s = lead_s;
  }
  Decision run(int seconds, double requests) {
    Decision last;
    for (int i = 0; i < seconds; ++i) {
      ++view.second;
      ++view.unix_s;
      view.requests = {requests, 0.5};
      last = scaler.decide(view);
      most_step = std::max(most_step, last.replicas - view.ready);
      changes += last.replicas != view.ready ? 1 : 0;
      if (last.replicas != view.ready) said = last.reason;
      if (last.replicas < view.ready) said_of_less = last.reason;
      if (follow) view.ready = last.replicas;
    }
    return last;
  }
  Autoscaler scaler;
  View view;
  bool follow = true;
  int most_step = 0;
  int changes = 0;
  std::string said;
  std::string said_of_less;
};

TEST(Autoscaler, SaysWhatItDoesAndWhy) {
  Service service(policy());
  service.run(900, 180);
  service.said.clear();
  service.run(10, 1430);
  EXPECT_GE(service.view.ready, 29);
  EXPECT_THAT(service.said,
              ContainsRegex(": 1,430 requests/s now, 1,[0-9]{3} expected in 30 s when a "
                            "new replica can serve, at most 50 a replica"));
}

TEST(Autoscaler, SaysInPercentWhatIsExpectedOfAShare) {
  Policy asked{.min = 2, .max = 40};
  asked.target.cpu = 0.5;
  Service service(asked);
  service.view.cpu = {0.4, 1};
  service.follow = false;
  service.run(900, 0);
  service.view.cpu = {0.9, 1};
  service.run(10, 0);
  EXPECT_THAT(service.said,
              ContainsRegex(": 90% CPU on 4 replicas now, [+-][0-9]+% expected in 30 s"));
}

TEST(Autoscaler, ComesDownAgainAndSaysSo) {
  Service service(policy());
  service.run(1200, 1000);
  const int high = service.view.ready;
  service.run(1200, 200);
  EXPECT_LT(service.view.ready, high / 2);
  EXPECT_THAT(service.said_of_less, HasSubstr("not worth its cost"));
}

TEST(Autoscaler, SaysInReplicasWhatIsExpectedAfterNothing) {
  Service service(policy());
  service.run(1200, 1000);
  service.run(1200, 0);
  EXPECT_THAT(service.said_of_less, HasSubstr("0 requests/s now, load for "));
  EXPECT_THAT(service.said_of_less, HasSubstr(" expected in 30 s when a new replica can serve"));
}

TEST(Autoscaler, SaysWhyMoreServeThanTheLoadNeeds) {
  Service service(policy());
  service.run(60, 100);
  service.run(60, 1000);
  const Decision after = service.run(60, 100);
  ASSERT_GT(after.replicas, 4);
  EXPECT_THAT(after.reason, HasSubstr("loads seen before rose so far and so quickly"));
}

// A figure of the application's own is a target as the others are.
TEST(Autoscaler, FollowsAFigureOfTheApplicationsOwn) {
  Policy asked{.min = 2, .max = 40};
  asked.target.metrics = {{"jobs", 10}, {"queue", 100}};
  Service service(asked);
  service.view.metrics = {{40.0, 1}, {300.0, 1}};
  service.run(900, 0);
  EXPECT_GE(service.view.ready, 4);
  service.view.metrics = {{40.0, 1}, {1'200.0, 1}};
  service.run(30, 0);
  EXPECT_GE(service.view.ready, 12);
  EXPECT_THAT(service.said, HasSubstr("1,200 queue now"));
  // Neither is known: the number holds.
  service.view.metrics = {{std::nullopt, 0}, {1.0, kFreshSeconds + 1}};
  const int before = service.view.ready;
  const auto held = service.run(600, 0);
  EXPECT_EQ(service.view.ready, before);
  EXPECT_TRUE(held.held);
  EXPECT_THAT(held.reason, HasSubstr("no fresh signal"));
}

// The other targets add, and nothing is taken away.
TEST(Autoscaler, WhileAMetricIsNotKnownNothingIsTakenAway) {
  Policy asked = policy();
  asked.target.metrics = {{"jobs", 10}};
  for (const Signal& unknown : {Signal{0.0, kFreshSeconds + 1}, Signal{std::nullopt, 0},
                                Signal{-5.0, 0}, Signal{1e9, -1.0}}) {
    Service service(asked);
    service.view.metrics = {{200.0, 1}};
    service.run(900, 100);
    const int before = service.view.ready;
    ASSERT_GE(before, 20);
    service.view.metrics = {unknown};
    const auto kept = service.run(3'600, 100);
    EXPECT_EQ(kept.replicas, before);
    EXPECT_FALSE(kept.held);
    EXPECT_THAT(kept.reason, HasSubstr("jobs is not known, so none is taken away"));
    service.run(30, 1'500);
    EXPECT_GE(service.view.ready, 30) << "requests alone order more";
    service.view.metrics = {{0.0, 1}};
    service.run(1'800, 100);
    EXPECT_LT(service.view.ready, before) << "it is known again";
  }
}

TEST(Autoscaler, NamesWhatAReplicaIsGivenOfTheSignalThatDecides) {
  Policy asked = policy();
  asked.target.metrics = {{"jobs", 12}};
  Service service(asked);
  service.view.metrics = {{240.0, 1}};
  service.run(30, 100);
  EXPECT_THAT(service.said, HasSubstr("240 jobs now"));
  EXPECT_THAT(service.said, HasSubstr("at most 12 a replica"));
}

// What the balancer says of a minute that ended `ago` seconds ago, until it says something else.
class FromTheBalancer {
 public:
  FromTheBalancer(MetricUse use, double portion) : service(policy_of(use, portion)) {}
  Decision told(int seconds, double value, std::int64_t ago = 90) {
    const auto ended = service.view.second - ago;
    Decision last;
    most_load = 0;
    for (int i = 0; i < seconds; ++i) {
      const auto age = static_cast<double>(service.view.second + 1 - ended);
      service.view.metrics = {{value, age, 300}};
      last = service.run(1, 100);
      most_load = std::max(most_load, last.load);
    }
    return last;
  }
  Decision minutes(int count, double value) {
    Decision last;
    for (int i = 0; i < count; ++i) last = told(60, value);
    return last;
  }
  // So many have served for minutes, whatever was decided.
  void serving(int ready, double value) {
    service.view.ready = ready;
    service.follow = false;
    minutes(5, value);
    service.follow = true;
  }

  Service service;
  double most_load = 0;

 private:
  static Policy policy_of(MetricUse use, double portion) {
    Policy out = policy();
    out.target.metrics = {{"elb", portion, use, 60}};
    return out;
  }
};

TEST(Autoscaler, ABalancersRequestsAreATargetAndMayBeMinutesOld) {
  FromTheBalancer elb(MetricUse::kShare, 50);
  elb.told(60, 600);
  EXPECT_GE(elb.service.view.ready, 12);
  EXPECT_THAT(elb.service.said, HasSubstr(": 600 elb 9"));
  EXPECT_THAT(elb.service.said, HasSubstr(" s ago, "));
  // It is too old after its own time, and holds.
  const int before = elb.service.view.ready;
  const auto held = elb.told(1'800, 0, 300);
  EXPECT_EQ(elb.service.view.ready, before);
  EXPECT_THAT(held.reason, HasSubstr("elb is not known, so none is taken away"));
  elb.minutes(30, 0);
  EXPECT_LT(elb.service.view.ready, before) << "it is known again";
}

// Its word stands for minutes, while what it asked for comes: that is asked for once.
TEST(Autoscaler, AQueueAddsToWhatServedWhenItWasMeasured) {
  FromTheBalancer elb(MetricUse::kMore, 40);
  elb.serving(4, 0);
  elb.told(150, 80);
  EXPECT_EQ(elb.most_load, 4 + 2);
  EXPECT_GE(elb.service.view.ready, 6);
  EXPECT_THAT(elb.service.said, HasSubstr("80 elb "));
  EXPECT_THAT(elb.service.said, HasSubstr("one more replica for each 40"));
  elb.serving(5, 0);
  elb.told(150, 1'000);
  EXPECT_EQ(elb.most_load, 2 * 5) << "twice at most";
}

TEST(Autoscaler, ASlowBalancerDoesNotAddToWhatItAdded) {
  FromTheBalancer elb(MetricUse::kLimit, 0.4);
  elb.serving(4, 0.4);
  EXPECT_EQ(elb.most_load, 2) << "at the limit is not above it";
  elb.told(150, 0.7);
  EXPECT_DOUBLE_EQ(elb.most_load, 1.75 * 4);
  EXPECT_GT(elb.service.view.ready, 4);
  EXPECT_THAT(elb.service.said, HasSubstr("elb is 700 ms "));
  EXPECT_THAT(elb.service.said, HasSubstr("at most 400 ms"));
  // Of the minute in which the new ones came, those count that served all of it.
  EXPECT_LT(elb.told(10, 0.7).load, 1.75 * 4 + 0.01);
}

// A controller that just began knows not how many served then.
TEST(Autoscaler, WhatWasMeasuredBeforeItBeganAddsNothingAndHolds) {
  FromTheBalancer elb(MetricUse::kLimit, 0.4);
  elb.service.view.ready = 8;
  const auto held = elb.told(100, 4.0);
  EXPECT_EQ(elb.service.view.ready, 8);
  EXPECT_EQ(elb.most_load, 2) << "of the requests alone";
  EXPECT_THAT(held.reason, HasSubstr("elb is not known, so none is taken away"));
  elb.minutes(40, 0.1);
  EXPECT_LT(elb.service.view.ready, 8);
}

// A limit gives no replica a load to carry: that is learned, as without targets.
TEST(Autoscaler, ALimitAloneLeavesWhatAReplicaCarriesToBeLearned) {
  Policy asked{.min = 2, .max = 40};
  asked.target.metrics = {{"elb", 0.4, MetricUse::kLimit, 60}};
  Service service(asked);
  service.view.cpu = {0.5, 0.5};
  service.follow = false;
  for (int i = 0; i < 300; ++i) {
    service.view.metrics = {{0.1, 90, 300}};
    service.run(1, 200);
  }
  EXPECT_GT(service.run(1, 200).capacity, 0);
  EXPECT_FALSE(service.run(1, 200).held);
}

TEST(Autoscaler, OldAndMissingSignalsHold) {
  Service service(policy());
  service.run(900, 400);
  const int before = service.view.ready;
  for (const Signal& signal : {Signal{10'000, kFreshSeconds + 1}, Signal{std::nullopt, 0},
                               Signal{-5, 0}, Signal{10'000, -1}}) {
    for (int i = 0; i < 300; ++i) {
      ++service.view.second;
      service.view.requests = signal;
      const auto decision = service.scaler.decide(service.view);
      ASSERT_EQ(decision.replicas, before);
      ASSERT_TRUE(decision.held);
      ASSERT_THAT(decision.reason, HasSubstr("no fresh signal"));
    }
  }
}

TEST(Autoscaler, AfterAGapNothingIsTakenAwayForAMinute) {
  Service service(policy());
  service.run(1800, 1000);
  service.view.requests = {};
  const int before = service.view.ready;
  for (int i = 0; i < 600; ++i) {
    ++service.view.second;
    (void)service.scaler.decide(service.view);
  }
  service.run(59, 100);
  EXPECT_EQ(service.view.ready, before);
  service.run(600, 100);
  EXPECT_LT(service.view.ready, before);
}

TEST(Autoscaler, ARolloutAndAPersonAreRespected) {
  Service service(policy());
  service.run(900, 200);
  const int before = service.view.ready;
  service.view.rolling_out = true;
  EXPECT_EQ(service.run(300, 1900).replicas, before);
  EXPECT_THAT(service.run(1, 1900).reason, HasSubstr("rollout"));
  service.view.rolling_out = false;
  service.view.paused = true;
  service.view.ready = 1;  // below min: a person's number all the same
  EXPECT_EQ(service.run(300, 1900).replicas, 1);
  service.view.paused = false;
  EXPECT_GE(service.run(30, 1900).replicas, 38);
}

TEST(Autoscaler, BoundsHoldAlsoWithoutSignals) {
  Service service(policy());
  service.view.ready = 1;
  service.view.requests = {};
  service.view.second = 1;
  const auto decision = service.scaler.decide(service.view);
  EXPECT_EQ(decision.replicas, 2);
  EXPECT_THAT(decision.reason, HasSubstr("1 -> 2: the policy asks for 2 to 40"));
  service.run(600, 1e6);
  EXPECT_EQ(service.view.ready, 40);
}

TEST(Autoscaler, SpeedLimitsHoldInAnyMinute) {
  Policy limited = policy();
  limited.out_per_minute = 3;
  limited.in_per_minute = 2;
  Service service(limited);
  service.run(300, 150);
  const int before = service.view.ready;
  service.run(60, 1900);
  EXPECT_LE(service.view.ready, before + 3);
  EXPECT_THAT(service.run(1, 1900).reason, HasSubstr("held back by speed limit"));
  service.run(900, 1900);
  EXPECT_GE(service.view.ready, 38);
  service.run(300, 10);
  const int falling = service.view.ready;
  service.run(60, 10);
  EXPECT_GE(service.view.ready, falling - 2);
}

TEST(Autoscaler, StabilisationKeepsWhatWasRight) {
  Policy stable = policy();
  stable.stabilise_in_s = 600;
  Service service(stable);
  service.run(3000, 1000);
  const int high = service.view.ready;
  service.run(590, 100);
  EXPECT_EQ(service.view.ready, high);
  service.run(300, 100);
  EXPECT_LT(service.view.ready, high);
}

TEST(Autoscaler, CooldownsPartChanges) {
  Policy slow = policy();
  slow.cooldown_out_s = 120;
  Service service(slow);
  service.run(10, 300);
  service.changes = 0;
  service.run(600, 1900);
  EXPECT_LE(service.changes, 6);
}

TEST(Autoscaler, SchedulesRaiseTheFloorAheadOfTheirBeginning) {
  Policy scheduled = policy();
  scheduled.schedules.push_back(
      {.cron = *parse_cron("0 8 * * mon-fri"), .duration_s = 3600, .min = 10});
  Service service(scheduled);
  service.view.zone_offsets = {9 * 3600};  // 08:00 there is 23:00 UTC of the day before
  service.view.unix_s = kSomeWednesday + 22 * 3600 + 58 * 60;
  EXPECT_EQ(service.run(30, 50).replicas, 4);
  service.run(120, 50);
  EXPECT_EQ(service.view.ready, 10);
  EXPECT_GE(service.run(3300, 50).replicas, 10);
  EXPECT_LT(service.run(900, 50).replicas, 10);
}

// Whatever the lead time is in minutes: what is ordered a lead time ahead serves at the beginning.
TEST(Autoscaler, WhatASchedulesNeedsIsOrderedALeadTimeAheadOfIt) {
  for (const int lead : {1, 17, 30, 59, 60, 61, 90}) {
    Policy scheduled = policy();
    scheduled.schedules.push_back({.cron = *parse_cron("0 8 * * *"), .duration_s = 60, .min = 10});
    Service service(scheduled, lead);
    service.follow = false;
    service.view.unix_s = kSomeWednesday + 8 * 3600 - lead - 2;
    EXPECT_LT(service.run(1, 50).bounds.min, 10) << lead;
    EXPECT_EQ(service.run(1, 50).bounds.min, 10) << lead;
    EXPECT_EQ(service.run(lead + 59, 50).bounds.min, 10) << lead;
    EXPECT_EQ(service.run(1, 50).bounds.min, 2) << lead;
  }
}

TEST(Bounds, OfSeveralSchedulesTheNarrowestHold) {
  Policy policy{.min = 2, .max = 40};
  const Cron always = *parse_cron("* * * * *");
  policy.schedules = {{.cron = always, .duration_s = 60, .min = 5},
                      {.cron = always, .duration_s = 60, .min = 3, .max = 20},
                      {.cron = always, .duration_s = 60, .max = 4}};
  EXPECT_EQ(bounds_at(policy, kSomeWednesday, {}), (Bounds{5, 5, true}));
  policy.schedules.clear();
  EXPECT_EQ(bounds_at(policy, kSomeWednesday, {}), (Bounds{2, 40, false}));
}

TEST(Autoscaler, OfSeveralTargetsTheGreatestDecides) {
  Policy several = policy();
  several.target.cpu = 0.5;
  several.target.memory = 0.8;
  Service service(several);
  service.view.cpu = {0.9, 0};
  service.follow = false;
  service.view.ready = 10;
  auto decision = service.run(30, 100);
  EXPECT_GE(decision.replicas, 18);
  EXPECT_THAT(decision.reason, HasSubstr("90% CPU on 10 replicas"));
  service.view.cpu = {0.1, 0};
  service.view.memory = {1.6, 0};
  service.view.ready = 8;
  EXPECT_GE(service.run(900, 100).replicas, 16);
}

TEST(Autoscaler, WithoutATargetTheCapacityIsLearned) {
  Policy bare{.min = 1, .max = 40};
  Service service(bare);
  service.follow = false;
  // Half busy at 120 requests/s on four: a whole replica serves 60, and is
  // given 48.
  service.view.cpu = {0.5, 0};
  service.run(600, 120);
  service.follow = true;
  service.view.cpu = {1.0, 0};
  service.run(10, 960);
  EXPECT_GE(service.view.ready, 20);
  EXPECT_THAT(service.said, HasSubstr("48 a replica as learned"));
  service.run(1800, 960);
  EXPECT_GE(service.view.ready, 20);
  EXPECT_LE(service.view.ready, 26);
}

TEST(Autoscaler, WithNothingKnownItHolds) {
  Service service(Policy{.min = 1, .max = 40});
  EXPECT_EQ(service.run(600, 5000).replicas, 4);
}

TEST(Autoscaler, NodesFollowFromDensity) {
  Policy dense = policy();
  dense.density = 4;
  Service service(dense);
  const auto decision = service.run(60, 1000);
  EXPECT_EQ(decision.nodes, (decision.replicas + 3) / 4);
}

TEST(Autoscaler, ItsStateSurvivesARestart) {
  Service service(policy());
  service.run(20'000, 700);
  const std::string bytes = service.scaler.save();
  EXPECT_LT(bytes.size(), 250'000U);
  Service successor(policy());
  ASSERT_TRUE(successor.scaler.restore(bytes));
  successor.view = service.view;
  const int before = service.view.ready;
  successor.run(300, 700);
  EXPECT_NEAR(successor.view.ready, before, 1);
  for (const std::string& bad : {std::string("x"), bytes.substr(0, 1000), bytes + "1"}) {
    EXPECT_FALSE(successor.scaler.restore(bad));
  }
  successor.run(60, 700);
  EXPECT_NEAR(successor.view.ready, before, 1);
}

// Whatever came before: seconds without a call, without signals, with another lead time.
TEST(Autoscaler, WhatItSavesItCanAlwaysRestore) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto pick = [&](std::uint64_t below) { return static_cast<int>(random.below(below)); };
    Service service(policy());
    auto& view = service.view;
    for (int i = 0; i < 200; ++i) {
      if (pick(30) == 0) view.second += pick(100);
      if (pick(40) == 0) view.unix_s += pick(60) - 30;
      if (pick(50) == 0) view.lead_s = 1 + pick(60);
      view.in_flight = {pick(50), 0.3};
      view.latency_s = {0.001 * pick(100), pick(4) == 0 ? 30.0 : 0.3};
      view.cpu = {0.01 * pick(150), 0.3};
      view.rolling_out = pick(10) == 0;
      service.run(1, pick(20) == 0 ? -1 : pick(2000));
      if (pick(10) != 0) continue;
      Autoscaler successor(policy(), 1 + pick(60));
      ASSERT_TRUE(successor.restore(service.scaler.save())) << "at " << i;
    }
  }
}

}  // namespace
}  // namespace hive::decide::autoscale
