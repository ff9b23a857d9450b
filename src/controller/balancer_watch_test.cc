#include "controller/balancer_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/fake/fake_cloud.h"
#include "controller/autoscale_metrics.h"

namespace hive::controller {
namespace {

using cloud::BalancerFigure;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class BalancerWatchTest : public ::testing::Test {
 protected:
  BalancerWatchTest() { cloud_.figures.emplace(); }
  std::int64_t now_ms() const {
    return std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch()).count();
  }
  void measure(BalancerFigure figure, double value, int ago_s, bool whole = true) {
    (*cloud_.figures)[figure] = {value, now_ms() - 1'000LL * ago_s, whole, ""};
  }
  void pass(int seconds) {
    clock_.advance(Milliseconds(1'000LL * seconds));
    watch_.look();
  }
  double age_s(const BalancerReading& one) const {
    return std::chrono::duration<double>(clock_.now() - one.at).count();
  }

  ManualClock clock_;
  cloud::fake::FakeCloud cloud_;
  BalancerWatch watch_{
      [this]() -> Result<std::unique_ptr<cloud::Cloud>> { return cloud_.client(); }, clock_};
};

TEST_F(BalancerWatchTest, AsksOnceAMinuteAndKeepsWhenItWasMeasured) {
  measure(BalancerFigure::kRequests, 50, 90);
  watch_.ask({BalancerFigure::kRequests});
  EXPECT_THAT(watch_.read(BalancerFigure::kRequests).trouble, HasSubstr("not asked for yet"));
  watch_.look();
  EXPECT_EQ(watch_.read(BalancerFigure::kRequests).value, 50);
  EXPECT_EQ(age_s(watch_.read(BalancerFigure::kRequests)), 90);
  for (int i = 0; i < 59; ++i) pass(1);
  EXPECT_THAT(cloud_.figures_asked, SizeIs(1));
  EXPECT_EQ(age_s(watch_.read(BalancerFigure::kRequests)), 149);
  measure(BalancerFigure::kRequests, 60, 91);
  pass(1);
  EXPECT_THAT(cloud_.figures_asked, SizeIs(2));
  EXPECT_EQ(watch_.read(BalancerFigure::kRequests).value, 60);
  EXPECT_EQ(age_s(watch_.read(BalancerFigure::kRequests)), 92);
}

TEST_F(BalancerWatchTest, WhatNobodyWantsIsNotAskedAndForgotten) {
  pass(600);
  EXPECT_THAT(cloud_.figures_asked, SizeIs(0));
  measure(BalancerFigure::kLatency, 0.2, 90);
  watch_.ask({BalancerFigure::kLatency});
  watch_.look();
  watch_.ask({});
  pass(600);
  EXPECT_THAT(cloud_.figures_asked, SizeIs(1));
  EXPECT_EQ(watch_.read(BalancerFigure::kLatency).value, std::nullopt);
}

TEST_F(BalancerWatchTest, OneThatIsNewIsAskedForAtOnceWithTheOthers) {
  watch_.ask({BalancerFigure::kLatency});
  watch_.look();
  watch_.ask({BalancerFigure::kLatency, BalancerFigure::kSpillover});
  pass(1);
  ASSERT_THAT(cloud_.figures_asked, SizeIs(2));
  EXPECT_THAT(cloud_.figures_asked[1], SizeIs(2));
  pass(1);
  watch_.ask({BalancerFigure::kLatency, BalancerFigure::kSpillover});
  pass(1);
  EXPECT_THAT(cloud_.figures_asked, SizeIs(2));
}

TEST_F(BalancerWatchTest, WhatIsNotToldKeepsItsValueAndGrowsOld) {
  measure(BalancerFigure::kRequests, 50, 90);
  watch_.ask({BalancerFigure::kRequests});
  watch_.look();
  cloud_.fail_others.push_back({Errc::kThrottled, "slow down", {}});
  pass(60);
  auto reading = watch_.read(BalancerFigure::kRequests);
  EXPECT_EQ(reading.value, 50);
  EXPECT_EQ(age_s(reading), 150);
  EXPECT_EQ(reading.trouble, "slow down");
  cloud_.figures->clear();
  pass(60);
  reading = watch_.read(BalancerFigure::kRequests);
  EXPECT_EQ(reading.value, 50);
  EXPECT_EQ(age_s(reading), 210);
  EXPECT_EQ(reading.trouble, "it was not measured");
}

TEST_F(BalancerWatchTest, AClockThatJumpsMakesNothingYounger) {
  measure(BalancerFigure::kRequests, 50, 90);
  watch_.ask({BalancerFigure::kRequests});
  watch_.look();
  clock_.jump_wall(Milliseconds(-3'600'000));
  EXPECT_EQ(age_s(watch_.read(BalancerFigure::kRequests)), 90);
  measure(BalancerFigure::kRequests, 60, -90);  // the cloud's clock is half a minute ahead then
  pass(60);
  EXPECT_EQ(age_s(watch_.read(BalancerFigure::kRequests)), 0);
}

TEST_F(BalancerWatchTest, WhereTheBalancerMeasuresNothingThatIsSaid) {
  cloud_.figures.reset();
  watch_.ask({BalancerFigure::kRequests});
  watch_.look();
  EXPECT_THAT(watch_.read(BalancerFigure::kRequests).trouble, HasSubstr("CloudWatch is AWS's"));
}

TEST_F(BalancerWatchTest, ItsThreadAsksByItself) {
  measure(BalancerFigure::kRequests, 50, 90);
  watch_.ask({BalancerFigure::kRequests});
  watch_.start();
  while (!watch_.read(BalancerFigure::kRequests).value) std::this_thread::yield();
  watch_.stop();
}

// --- the signal of a service

TEST_F(BalancerWatchTest, ItsSignalCountsForMinutes) {
  measure(BalancerFigure::kSurgeQueue, 7, 170);
  EXPECT_EQ(balancer_signal(nullptr, "SurgeQueueLength", clock_.now()).signal.value, std::nullopt);
  watch_.ask({*figure_of("SurgeQueueLength")});
  watch_.look();
  auto told = balancer_signal(&watch_, "SurgeQueueLength", clock_.now());
  EXPECT_EQ(told.signal.value, 7);
  EXPECT_EQ(told.signal.age_s, 170);
  EXPECT_GE(told.signal.fresh_s, 170);
  EXPECT_TRUE(told.whole);
  EXPECT_EQ(told.trouble, "");
  clock_.advance(Milliseconds(200'000));
  told = balancer_signal(&watch_, "SurgeQueueLength", clock_.now());
  EXPECT_EQ(told.signal.value, 7) << "shown with its age";
  EXPECT_GT(told.signal.age_s, told.signal.fresh_s);
  EXPECT_FALSE(told.whole);
  EXPECT_THAT(told.trouble, HasSubstr("370 s ago"));
}

TEST_F(BalancerWatchTest, WhatMayBeMoreIsNotWhole) {
  measure(BalancerFigure::kRequests, 7, 30, false);
  watch_.ask({BalancerFigure::kRequests});
  watch_.look();
  const auto told = balancer_signal(&watch_, "RequestCount", clock_.now());
  EXPECT_EQ(told.signal.value, 7);
  EXPECT_FALSE(told.whole);
  EXPECT_THAT(told.trouble, HasSubstr("at least"));
}

TEST(FigureOf, KnowsTheNamesOfCloudWatch) {
  EXPECT_EQ(figure_of("RequestCount"), BalancerFigure::kRequests);
  EXPECT_EQ(figure_of("Latency"), BalancerFigure::kLatency);
  EXPECT_EQ(figure_of("SurgeQueueLength"), BalancerFigure::kSurgeQueue);
  EXPECT_EQ(figure_of("SpilloverCount"), BalancerFigure::kSpillover);
  EXPECT_EQ(figure_of("requests"), std::nullopt);
}

}  // namespace
}  // namespace hive::controller
