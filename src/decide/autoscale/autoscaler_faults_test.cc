// The autoscaler with a cloud under faults, deterministically: lost replicas,
// orders that fail or come late, reads that are stale, signals that are late, missing or absurd,
// wall clocks that jump, controllers that die and are followed by one with their last state, or
// none. Checkers watch each second; planted bugs show that they bite.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <memory>

#include "base/random.h"
#include "decide/autoscale/autoscaler.h"

namespace hive::decide::autoscale {
namespace {

constexpr int kMin = 2;
constexpr int kMax = 30;
constexpr double kPerReplica = 50;
constexpr int kMostChangesAnHour = 120;

Policy ordeal_policy() {
  Policy out{.min = kMin, .max = kMax};
  out.target.requests_per_replica = kPerReplica;
  return out;
}

// Changes what the autoscaler decided, as a defect would.
using Bug = std::function<void(const View&, Decision&)>;

class Ordeal {
 public:
  Ordeal(std::uint64_t seed, Bug bug) : random_(seed), bug_(std::move(bug)) { start(); }

  // The first broken rule, or "".
  std::string go(int faulty_seconds, int calm_seconds) {
    for (int i = 0; i < faulty_seconds + calm_seconds && broken_.empty(); ++i) {
      faults_ = i < faulty_seconds;
      second();
    }
    const double need = load() / kPerReplica;
    if (broken_.empty() && (ready_ < need || ready_ > 2 * need + 3))
      broken_ = "it does not converge once faults have ended";
    return broken_;
  }

 private:
  bool chance(double share) { return faults_ && random_.unit() < share; }
  double load() const { return 400 + 300 * std::sin(static_cast<double>(view_.second) / 2000); }

  void start() {
    scaler_ = std::make_unique<Autoscaler>(ordeal_policy(), 40);
    if (!saved_.empty() && !chance(0.3)) (void)scaler_->restore(saved_);
  }
  void second() {
    ++view_.second;
    ++view_.unix_s;
    if (chance(0.001)) view_.unix_s += static_cast<std::int64_t>(random_.below(20'000)) - 10'000;
    if (chance(0.002)) ready_ = std::max(0, ready_ - 1 - static_cast<int>(random_.below(3)));
    if (chance(0.001)) start();
    if (view_.second % 600 == 0) saved_ = scaler_->save();
    while (!orders_.empty() && orders_.front() <= view_.second) {
      if (!chance(0.2)) ++ready_;  // else: it never joins
      orders_.pop_front();
    }
    if (chance(0.001)) silent_until_ = view_.second + static_cast<std::int64_t>(random_.below(400));
    see();
    Decision decision = scaler_->decide(view_);
    if (bug_) bug_(view_, decision);
    check(decision);
    act(decision);
  }
  void see() {
    // A stale read shows the cluster as it was when the reads began to stand still.
    if (chance(0.003))
      stale_until_ = view_.second + 1 + static_cast<std::int64_t>(random_.below(20));
    if (view_.second >= stale_until_) {
      view_.ready = ready_;
      view_.starting = static_cast<int>(orders_.size());
    }
    view_.lead_s = 40;
    view_.requests = {load(), 1};
    if (view_.second < silent_until_) view_.requests = {1e7, 60};
    if (chance(0.01)) view_.requests = {std::nullopt, 0};
    if (chance(0.005)) view_.requests = {std::nan(""), 0};
  }
  void check(const Decision& decision) {
    const int have = view_.ready + view_.starting;
    const bool old = !view_.requests.value || view_.requests.age_s > kFreshSeconds ||
                     !std::isfinite(*view_.requests.value);
    if (decision.replicas < kMin) broken_ = "below min";
    if (decision.replicas > kMax) broken_ = "above max";
    if (old && decision.replicas != std::clamp(have, kMin, kMax))
      broken_ = "an old signal drove it";
    if (decision.reason.empty()) broken_ = "it does not say why";
    if (decision.replicas != have) changes_.push_back(view_.second);
    while (!changes_.empty() && changes_.front() <= view_.second - 3600) changes_.pop_front();
    if (changes_.size() > kMostChangesAnHour) broken_ = "too many actions in an hour";
  }
  void act(const Decision& decision) {
    if (chance(0.05)) return;  // it died before the effect, or the cloud refused
    int have = ready_ + static_cast<int>(orders_.size());
    for (; have < decision.replicas; ++have) {
      orders_.push_back(view_.second + 40);
      if (chance(0.1)) orders_.back() += 200;
    }
    std::sort(orders_.begin(), orders_.end());
    for (; have > decision.replicas && !orders_.empty(); --have) orders_.pop_back();
    if (have > decision.replicas) ready_ -= have - decision.replicas;
  }

  Random random_;
  Bug bug_;
  View view_{.unix_s = 1'709'078'400};
  std::unique_ptr<Autoscaler> scaler_;
  std::string saved_;
  std::deque<std::int64_t> orders_;
  std::deque<std::int64_t> changes_;
  std::int64_t silent_until_ = 0;
  std::int64_t stale_until_ = 0;
  int ready_ = 4;
  bool faults_ = true;
  std::string broken_;
};

TEST(AutoscalerUnderFaults, RulesHoldAndItConverges) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
    EXPECT_EQ(Ordeal(seed, nullptr).go(6'000, 3'000), "") << "seed " << seed;
}

TEST(AutoscalerUnderFaults, PlantedBugsAreFound) {
  const std::vector<std::pair<const char*, Bug>> bugs{
      {"below min",
       [](const View&, Decision& d) { d.replicas = d.replicas <= 4 ? 1 : d.replicas; }},
      {"above max", [](const View& v, Decision& d) { d.replicas += v.second == 500 ? kMax : 0; }},
      {"an old signal drove it",
       [](const View& v, Decision& d) {
         if (v.requests.age_s > kFreshSeconds) d.replicas = kMax;
       }},
      {"too many actions in an hour",
       [](const View& v, Decision& d) {
         if (!d.held && d.replicas < kMax) d.replicas += static_cast<int>(v.second % 2);
       }},
      {"it does not converge once faults have ended", [](const View& v, Decision& d) {
         if (!d.held && v.second > 5'000) d.replicas = kMin;
       }}};
  for (const auto& [wanted, bug] : bugs) {
    bool found = false;
    for (std::uint64_t seed = 1; seed <= 4 && !found; ++seed)
      found = Ordeal(seed, bug).go(6'000, 3'000) == wanted;
    EXPECT_TRUE(found) << wanted;
  }
}

}  // namespace
}  // namespace hive::decide::autoscale
