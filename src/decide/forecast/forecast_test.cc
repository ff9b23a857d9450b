#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "decide/forecast/archive.h"
#include "decide/forecast/load_model.h"
#include "decide/forecast/regression.h"
#include "decide/forecast/rows.h"
#include "decide/forecast/surprise.h"

namespace hive::decide::forecast {
namespace {

TEST(Ridge, FindsTheWeights) {
  Random random(1);
  Ridge<3> ridge({}, 1);
  for (int i = 0; i < 5000; ++i) {
    const Ridge<3>::Vector x{random.unit() - 0.5, random.unit() - 0.5, 1};
    ridge.learn(x, 2 * x[0] - 3 * x[1] + 0.5 * x[2] + 0.1 * (random.unit() - 0.5));
  }
  ridge.solve();
  EXPECT_NEAR(ridge.weights()[0], 2, 0.02);
  EXPECT_NEAR(ridge.weights()[1], -3, 0.02);
  EXPECT_NEAR(ridge.weights()[2], 0.5, 0.02);
}

TEST(Ridge, StaysAtItsPriorWithoutSamplesAndSurvivesStandstill) {
  Ridge<2> ridge({0.3, -0.2}, 5);
  ridge.solve();
  EXPECT_DOUBLE_EQ(ridge.predict({1, 1}), 0.1);
  for (int i = 0; i < 1'000'000; ++i) {
    ridge.learn({0, 0}, 0);
    if (i % 100 == 0) ridge.decay(0.9);
  }
  ridge.solve();
  EXPECT_NEAR(ridge.predict({1, 1}), 0.1, 1e-9);
}

double total(const Surprises& surprises) {
  return std::accumulate(surprises.share.begin(), surprises.share.end(), 0.0);
}

TEST(Surprise, SharesAddUpToOne) {
  SurpriseTables tables;
  Surprises out;
  tables.expect({12'345, 1}, out);
  EXPECT_NEAR(total(out), 1, 1e-4);
  Random random(2);
  for (std::int64_t t = 0; t < 200'000; ++t) {
    tables.learn({t, 1}, 4 * random.unit() - 2, 1.0 / 3);
    if (t % 60 == 0) tables.decay_minute();
  }
  for (std::int64_t t = 0; t < 86'400; t += 777) {
    tables.expect({t, 1}, out);
    EXPECT_NEAR(total(out), 1, 1e-3) << t;
  }
}

// What comes at two past each hour is expected there, and not elsewhere.
TEST(Surprise, KeepsToTheClock) {
  SurpriseTables tables;
  for (std::int64_t t = 0; t < 2 * 86'400; ++t) {
    const double surprise = t / 60 % 60 == 2 ? 20 : 0;
    if (t % 3 == 0) tables.judge({t, 1}, surprise);
    tables.learn({t, 1}, surprise, 1.0 / 3);
    if (t % 60 == 0) tables.decay_minute();
  }
  const auto beyond = [&](std::int64_t moment) {
    Surprises out;
    tables.expect({moment, 1}, out);
    double sum = 0;
    for (std::size_t i = SurpriseTables::bin_of(10); i < kBins; ++i)
      sum += static_cast<double>(out.share[i]);
    return sum;
  };
  constexpr std::int64_t kMidday = 2 * 86'400 + 12 * 3600;
  EXPECT_GT(beyond(kMidday + 2 * 60 + 30), 0.5);
  EXPECT_LT(beyond(kMidday + 30 * 60), 0.1);
}

// A burst each hour at one minute makes it likely there, and hardly at a minute that has seen none:
// as likely as that a minute of the hour has any.
TEST(Surprise, WhatKeepsToItsMinuteSaysLittleOfOthers) {
  SurpriseTables tables;
  const auto expected_at = [&](std::int64_t moment) {
    Surprises out;
    tables.expect({moment, 1}, out);
    double sum = 0;
    for (std::size_t i = SurpriseTables::bin_of(10); i < kBins; ++i)
      sum += static_cast<double>(out.share[i]);
    return sum;
  };
  for (std::int64_t t = 0; t < 86'400; t += 3) {
    const double surprise = t / 60 % 60 == 2 ? 20 : 0;
    tables.learn({t, 1}, surprise, 1.0);
    tables.judge({t, 1}, surprise);
    if (t % 60 == 0) tables.decay_minute();
  }
  // One minute of sixty at all times; 1 visit of 1,440 by the rows.
  EXPECT_GT(expected_at(86'400 + 150), 0.5);
  EXPECT_LT(expected_at(86'400 + 40 * 60), 1.0 / 60 / 10);
}

// From a low load it bursts in one of five leads, from a high one never: at the same minute of the
// hour, each is expected to do what it does.
TEST(Surprise, KeepsToTheHeightOfTheLoad) {
  SurpriseTables tables;
  const auto beyond = [&](double load) {
    Surprises out;
    tables.expect({5000, load}, out);
    double sum = 0;
    for (std::size_t i = SurpriseTables::bin_of(10); i < kBins; ++i)
      sum += static_cast<double>(out.share[i]);
    return sum;
  };
  Random random(3);
  bool burst = false;
  double load = 3;
  for (std::int64_t t = 0; t < 3 * 86'400; t += 3) {
    if (t % 90 == 0) load = random.unit() < 0.5 ? 3 : 20;
    if (t % 90 == 0) burst = load == 3 && random.unit() < 0.2;
    const double surprise = burst ? 20 : random.unit() - 0.5;
    tables.judge({t, load}, surprise);
    tables.learn({t, load}, surprise, 1);
    if (t % 60 == 0) tables.decay_minute();
  }
  EXPECT_NEAR(beyond(3), 0.2, 0.1);
  EXPECT_LT(beyond(20), 0.01);
}

// A family whose rows are all alike changes nothing; nor does one that has seen nothing.
TEST(Rows, TellNothingWhereThereIsNothingToTell) {
  Rows rows({4, 1, 0.9, 0.9, 32});
  std::array<float, kBins> share{};
  share.fill(0.5F);
  rows.apply(2, share);
  EXPECT_FLOAT_EQ(share[40], 0.5F);
  Random random(5);
  for (int i = 0; i < 40'000; ++i)
    rows.learn(static_cast<std::size_t>(i % 4), static_cast<std::size_t>(random.below(kBins)), 1);
  rows.count();
  rows.apply(2, share);
  for (std::size_t i = 0; i < kBins; ++i) EXPECT_NEAR(share[i], 0.5F, 0.2F) << i;
}

// Rows that tell wrongly of bursts lose their say in them, and keep it in the rest.
TEST(Rows, BurstsAreTrustedApart) {
  Rows rows({2, 1, 0.5, 0.9, 32});
  for (int i = 0; i < 100; ++i) {
    rows.learn(0, i < 50 ? 40 : 10, 1);
    rows.learn(1, 20, 1);
  }
  rows.count();
  for (int i = 0; i < 2000; ++i) {
    rows.judge(0, 10);
    rows.judge(1, i % 4 == 0 ? 40 : 20);
  }
  std::array<float, kBins> share{};
  share.fill(1);
  rows.apply(0, share);
  EXPECT_LT(share[40], 1.1);
  EXPECT_GT(share[10], 1.5);
  EXPECT_LT(share[20], 0.3);
}

TEST(Surprise, BinsHoldTheirCentres) {
  const auto& centres = SurpriseTables::centres();
  for (std::size_t i = 0; i < kBins; ++i) EXPECT_EQ(SurpriseTables::bin_of(centres[i]), i);
  EXPECT_EQ(SurpriseTables::bin_of(-1e9), 0U);
  EXPECT_EQ(SurpriseTables::bin_of(1e9), kBins - 1);
}

TEST(LoadModel, FollowsAStepWithinSeconds) {
  LoadModel model(90);
  std::int64_t now = 0;
  for (int i = 0; i < 3600; ++i) model.observe(++now, 10.0 + 0.5 * (i % 3));
  for (int i = 0; i < 9; ++i) model.observe(++now, 100.0 + 0.5 * (i % 3));
  EXPECT_GT(model.outlook().now, 85);
  EXPECT_TRUE(model.outlook().jumped);
}

// Whichever second of a tick it comes in.
TEST(LoadModel, TellsAJumpInItsFirstSecond) {
  for (int into = 0; into < kTick; ++into) {
    LoadModel model(90);
    std::int64_t now = 0;
    for (int i = 0; i < 3600 + into; ++i) {
      const auto news = model.observe(++now, 10.0 + 0.5 * (i % 2));
      EXPECT_EQ(news, now % kTick == 0 ? News::kTickEnd : News::kNone) << now;
    }
    ++now;
    EXPECT_EQ(model.observe(now, 100.0), now % kTick == 0 ? News::kTickEnd : News::kJump);
    EXPECT_GT(model.outlook().now, 40) << into;
    EXPECT_TRUE(model.outlook().jumped) << into;
  }
}

TEST(LoadModel, PhasesPartTicksAndLearnTheSame) {
  LoadModel first(90);
  LoadModel other(90, 31);
  Random random(7);
  std::int64_t together = 0;
  for (std::int64_t now = 1; now <= 30'000; ++now) {
    const double load = 10 + random.unit();
    const auto one = first.observe(now, load);
    if (other.observe(now, load) == News::kTickEnd && one == News::kTickEnd) ++together;
  }
  EXPECT_EQ(together, 0);
  EXPECT_NEAR(other.outlook().mean, first.outlook().mean, 0.1);
  EXPECT_NEAR(other.outlook().spread, first.outlook().spread, 0.02);
}

TEST(LoadModel, LearnsTheDay) {
  LoadModel model(1800);
  const auto load_at = [](std::int64_t t) {
    return 50 + 40 * std::sin(2 * 3.14159265358979 * static_cast<double>(t) / 86'400);
  };
  double off = 0;
  double naive = 0;
  for (std::int64_t now = 1; now < 6 * 86'400; ++now) {
    if (model.observe(now, load_at(now)) != News::kTickEnd || now < 4 * 86'400) continue;
    off += std::abs(model.outlook().mean - load_at(now + 1800));
    naive += std::abs(load_at(now) - load_at(now + 1800));
  }
  EXPECT_LT(off, 0.5 * naive);
}

TEST(LoadModel, LearnsNothingFromMissingSignals) {
  LoadModel model(30);
  std::int64_t now = 0;
  for (int i = 0; i < 600; ++i) model.observe(++now, 10.0);
  const double before = model.outlook().mean;
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(model.observe(++now, std::nullopt), News::kNone);
  EXPECT_EQ(model.outlook().mean, before);
  EXPECT_EQ(model.seconds_seen(), 600);  // its age is what was seen, not what passed
}

TEST(LoadModel, StateSurvivesARestart) {
  LoadModel model(30);
  Random random(9);
  std::int64_t now = 0;
  for (int i = 0; i < 30'000; ++i) model.observe(++now, 20 * random.unit());
  StateWriter writer;
  writer(model);
  const std::string bytes = writer.take();
  EXPECT_LT(bytes.size(), 200'000U);
  LoadModel back(30);
  StateReader reader(bytes);
  reader(back);
  EXPECT_TRUE(reader.ok());
  for (int i = 0; i < 300; ++i) {
    const double load = 20 * random.unit();
    model.observe(++now, load);
    back.observe(now, load);
  }
  EXPECT_NEAR(back.outlook().mean, model.outlook().mean, 1e-2);
  EXPECT_NEAR(back.outlook().spread, model.outlook().spread, 1e-2);
}

TEST(LoadModel, DamagedStateIsNoticed) {
  LoadModel model(30);
  StateWriter writer;
  writer(model);
  const std::string bytes = writer.take();
  for (const std::string& bad : {bytes.substr(0, bytes.size() / 2), bytes + "x", std::string()}) {
    LoadModel other(30);
    StateReader reader(bad);
    reader(other);
    EXPECT_FALSE(reader.ok());
  }
}

}  // namespace
}  // namespace hive::decide::forecast
