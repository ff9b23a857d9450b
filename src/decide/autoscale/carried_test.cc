// What is learned of open requests, over a small model of replicas with threads.
#include "decide/autoscale/carried.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/random.h"
#include "decide/autoscale/autoscaler.h"

namespace hive::decide::autoscale {
namespace {

using ::testing::HasSubstr;

TEST(Carried, WhatGoesWellIsLearnedAndWhatDoesNotIsNot) {
  Carried carried;
  for (int i = 0; i < 29; ++i) carried.observe(40, 2, 0.1);
  EXPECT_FALSE(carried.level()) << "too early";
  for (int i = 0; i < 60; ++i) carried.observe(40, 2, 0.1);
  EXPECT_NEAR(carried.level().value(), 20, 0.5);
  for (int i = 0; i < 60; ++i) carried.observe(400, 2, 0.9);
  EXPECT_TRUE(carried.slow());
  EXPECT_NEAR(carried.level().value(), 20, 0.5) << "it is open, and not carried";
  for (int i = 0; i < 60; ++i) carried.observe(80, 2, 0.12);
  EXPECT_NEAR(carried.level().value(), 40, 1);
}

TEST(Carried, WhatCarriesLessThanBeforeIsNoticed) {
  Carried carried;
  for (int i = 0; i < 100; ++i) carried.observe(100, 1, 0.1);
  for (int i = 0; i < 300; ++i) carried.observe(50, 1, 0.4);
  EXPECT_LT(carried.level().value(), 60);
}

TEST(Carried, FewRequestsSayLittle) {
  Carried carried;
  for (int i = 0; i < 300; ++i) carried.observe(i % 2, 1, 0.01);
  EXPECT_DOUBLE_EQ(carried.level().value(), Carried::kLeast);
  for (int i = 0; i < 300; ++i) carried.observe(0, 1, std::nullopt);
  EXPECT_DOUBLE_EQ(carried.level().value(), Carried::kLeast);
}

// Replicas of so many threads, each answering in so many seconds and using no CPU to speak of; what
// finds no thread waits. New ones serve after a while.
struct Threads {
  Threads(int min, int max, double threads, double seconds, std::uint64_t seed)
      : scaler({.min = min, .max = max}, kLead),
        threads_(threads),
        seconds_(seconds),
        random_(seed) {
    view.unix_s = 1'709'078'400;
    view.lead_s = kLead;
    view.ready = min;
  }
  void run(int seconds, double rate) {
    for (int i = 0; i < seconds; ++i) {
      ++view.second;
      ++view.unix_s;
      while (!starts_.empty() && starts_.front() <= view.second) {
        ++view.ready;
        --view.starting;
        starts_.pop_front();
      }
      const double arrived = rate * (0.9 + 0.2 * random_.unit());
      open_ += arrived;
      const double most_served = threads_ * view.ready / seconds_;
      const double served = std::min(seconds_ < 1 ? open_ : open_ / seconds_, most_served);
      open_ -= served;
      const double seen_open = seconds_ < 1 ? open_ + served * seconds_ : open_;
      const double latency = std::max(seconds_, seen_open / std::max(served, 1e-9));
      view.requests = {arrived, 0.3};
      view.in_flight = {seen_open, 0.3};
      view.latency_s = {latency, 0.3};
      view.cpu = {0.01, 0.3};
      order(scaler.decide(view));
    }
  }
  void order(const Decision& decision) {
    const int current = view.ready + view.starting;
    if (decision.replicas != current) said = decision.reason;
    for (int i = current; i < decision.replicas; ++i) {
      starts_.push_back(view.second + kLead);
      ++view.starting;
    }
    for (int i = decision.replicas; i < current; ++i) {
      if (view.starting > 0) {
        starts_.pop_back();
        --view.starting;
      } else {
        --view.ready;
      }
    }
    most = std::max(most, decision.replicas);
  }

  static constexpr int kLead = 8;
  Autoscaler scaler;
  View view;
  std::string said;
  int most = 0;

 private:
  double threads_;
  double seconds_;
  Random random_;
  double open_ = 0;
  std::deque<std::int64_t> starts_;
};

// The slow page of the example: a Tomcat has 200 threads, and the CPU tells nothing.
TEST(Carried, AServiceOfSlowAnswersIsFollowedWithNothingButBounds) {
  Threads service(2, 40, 200, 2.5, 1);
  service.run(300, 20);
  EXPECT_LE(service.most, 3) << service.said;
  service.run(120, 400);
  EXPECT_GE(service.view.ready, 5) << "400 a second need 1,000 threads";
  EXPECT_LE(service.most, 20);
  EXPECT_THAT(service.said, HasSubstr("as learned"));
  service.run(1'800, 20);
  EXPECT_LE(service.view.ready, 3) << service.said;
}

TEST(Carried, AServiceOfQuickAnswersIsLeftAlone) {
  Threads service(2, 40, 200, 0.01, 2);
  service.run(1'800, 30);
  EXPECT_LE(service.most, 2) << service.said;
}

}  // namespace
}  // namespace hive::decide::autoscale
