#include "edge/haproxy/slot_mean.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace hive::edge::haproxy {
namespace {

// A slot's average as HAProxy keeps it.
class OneSlot {
 public:
  void answer(std::uint32_t ms) {
    constexpr std::uint64_t kSamples = 512;
    const std::uint64_t window = row_.sessions + 1 > kSamples ? kSamples : 0;
    if (window > 0) sum_ -= (sum_ + window - 1) / window;
    sum_ += ms;
    ++row_.sessions;
    const auto count = std::min(row_.sessions, kSamples);
    row_.response_time_ms = static_cast<std::uint32_t>((sum_ + count - 1) / count);
  }
  const ServerRow& row() const { return row_; }

 private:
  ServerRow row_;
  std::uint64_t sum_ = 0;
};

TEST(SlotMean, ASlowTaskBeforeIsNotTheNextOnesFault) {
  OneSlot slot;
  for (int i = 0; i < 300; ++i) slot.answer(2'000);
  const auto taken = slot.row();
  for (int i = 0; i < 100; ++i) slot.answer(20);
  EXPECT_GT(slot.row().response_time_ms, 1'000U);
  EXPECT_NEAR(mean_between(taken, slot.row()).response_time_ms, 20, 6);
  EXPECT_EQ(mean_between(taken, slot.row()).weight, 100);
}

TEST(SlotMean, NorDoesAFastOneHideASlowOne) {
  OneSlot slot;
  for (int i = 0; i < 3'000; ++i) slot.answer(10);
  const auto taken = slot.row();
  for (int i = 0; i < 100; ++i) slot.answer(500);
  EXPECT_LT(slot.row().response_time_ms, 150U);
  EXPECT_NEAR(mean_between(taken, slot.row()).response_time_ms, 500, 15);
}

TEST(SlotMean, IsTheMeanOfWhatWasAnsweredBetween) {
  const auto first = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed());
  for (std::uint64_t seed = first; seed < first + 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    OneSlot slot;
    for (auto i = random.below(1'500); i > 0; --i)
      slot.answer(static_cast<std::uint32_t>(random.below(1'000)));
    const auto taken = slot.row();
    const auto count = 50 + random.below(400);
    const auto level = random.below(2'000);
    double sum = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto ms = level + random.below(100);
      slot.answer(static_cast<std::uint32_t>(ms));
      sum += static_cast<double>(ms);
    }
    const auto found = mean_between(taken, slot.row());
    EXPECT_NEAR(found.response_time_ms, sum / static_cast<double>(count), 20 + 600.0 / count * 2);
    EXPECT_LE(found.weight, kSlotSamples);
  }
}

TEST(SlotMean, NothingBetweenSaysNothing) {
  OneSlot slot;
  EXPECT_EQ(mean_between(slot.row(), slot.row()).weight, 0);
  slot.answer(5);
  EXPECT_EQ(mean_between(slot.row(), slot.row()).weight, 0);
}

TEST(SlotMean, AfterAReloadAllIsNew) {
  OneSlot before, after;
  for (int i = 0; i < 900; ++i) before.answer(700);
  for (int i = 0; i < 60; ++i) after.answer(30);
  const auto found = mean_between(before.row(), after.row());
  EXPECT_NEAR(found.response_time_ms, 30, 1);
  EXPECT_EQ(found.weight, 60);
}

TEST(TaskMeans, WhoTakesASlotBeginsAnew) {
  TaskMeans means;
  OneSlot slot;
  for (int i = 0; i < 300; ++i) slot.answer(2'000);
  means.add("b/s1", "old", {}, slot.row());
  EXPECT_EQ(means.take().at("old"), 2'000U);
  auto before = slot.row();
  for (int look = 0; look < 3; ++look) {
    for (int i = 0; i < 40; ++i) slot.answer(20);
    means.add("b/s1", "new", before, slot.row());
    EXPECT_NEAR(means.take().at("new"), 20, 12) << "look " << look;
    before = slot.row();
  }
}

TEST(TaskMeans, OfSeveralSlotsWeighTheRequests) {
  TaskMeans means;
  OneSlot often, seldom, never;
  for (int i = 0; i < 99; ++i) often.answer(10);
  seldom.answer(4'010);
  means.add("b/s1", "t", {}, often.row());
  means.add("c/s1", "t", {}, seldom.row());
  means.add("c/s2", "idle", {}, never.row());
  const auto found = means.take();
  EXPECT_EQ(found.at("t"), 50U);
  EXPECT_FALSE(found.contains("idle"));
  EXPECT_TRUE(means.take().empty());
}

}  // namespace
}  // namespace hive::edge::haproxy
