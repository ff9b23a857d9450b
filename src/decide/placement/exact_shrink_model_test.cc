// Exact scale-in in a small Swarm with faults: looks that are old, writes that come late or are
// refused, stops that are lost or take long, tasks that crash, a controller that dies between any
// two effects. The checkers ask what users are promised; that they bite is shown on planted bugs.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "base/random.h"
#include "decide/placement/exact_shrink.h"

namespace hive::decide::placement {
namespace {

constexpr std::int64_t kTick = 50;
constexpr std::int64_t kEnd = 600'000;
constexpr std::int64_t kCalmFrom = 200'000;  // no more faults from here on

// A bug put between the rule and its world.
struct Planted {
  std::function<void(ShrinkLook&)> in_look;
  std::function<void(ShrinkStep&, const ShrinkLook&)> in_step;
};

// One slot of the virtual Swarm, and what becomes of its container.
struct Place {
  SlotState state = SlotState::kRunning;
  std::int64_t planned_at = 0;
  std::int64_t starts_at = 0;  // its container is up
  std::int64_t stops_at = -1;  // the sequence ends; -1 = not being stopped
  int incarnation = 0;
  std::int64_t node = 0;
  std::int64_t placed_at = 0;  // Swarm's scheduler is done; before that it has no node
};

class Swarm {
 public:
  Swarm(std::uint64_t seed, Planted planted) : random_(seed), planted_(std::move(planted)) {
    replicas_ = 1 + random_.below(8);
    target_ = random_.below(replicas_);
    restarts_ = !chance(15);
    slow_writes_ = chance(15);
    crashes_ = chance(40);
    deaths_ = chance(40);
    lost_stops_ = chance(40);
    for (std::uint64_t i = 1; i <= replicas_; ++i)
      places_[static_cast<std::int64_t>(i)].node = static_cast<std::int64_t>(random_.below(kNodes));
  }

  void run() {
    for (now_ = 0; now_ < kEnd; now_ += kTick) {
      swarm();
      faults();
      controller();
      check();
    }
    if (!done_) breach("it did not converge");
    if (replicas_ != target_ || (restarts_ && places_.size() != target_))
      breach("it ended with " + std::to_string(places_.size()) + " slots, " +
             std::to_string(replicas_) + " replicas, target " + std::to_string(target_));
  }

  const std::vector<std::string>& breaches() const { return breaches_; }

 private:
  bool chance(unsigned percent) { return random_.below(100) < percent; }
  bool calm() const { return now_ >= kCalmFrom; }
  void breach(const std::string& what) {
    if (breaches_.size() < 5) breaches_.push_back(std::to_string(now_) + " ms: " + what);
  }

  // --- the engine's side
  void swarm() {
    for (auto& [number, place] : places_) {
      if (place.stops_at >= 0 && now_ >= place.stops_at) end(place);
      if (place.node == kNoNode && now_ >= place.placed_at) place.node = emptiest();
      if (place.state == SlotState::kPlanned && now_ >= place.planned_at + kDelay) {
        place.state = SlotState::kStarting;
        place.starts_at = now_ + 100 + static_cast<std::int64_t>(random_.below(2'000));
      }
      if (place.state == SlotState::kStarting && now_ >= place.starts_at)
        place.state = SlotState::kRunning;
    }
    std::erase_if(places_, [](const auto& entry) { return entry.second.incarnation < 0; });
    // The orchestrator works on a new number a moment after it is written.
    if (removes_at_ >= 0 && now_ >= removes_at_) remove_surplus();
  }

  void end(Place& place) {
    place.stops_at = -1;
    ++place.incarnation;
    if (!restarts_) {
      place.incarnation = -1;
      ++ended_;
      return;
    }
    place.state = SlotState::kPlanned;
    place.planned_at = now_;
    place.node = kNoNode;
    place.placed_at = now_ + static_cast<std::int64_t>(random_.below(1'000));
  }

  std::int64_t emptiest() const {
    std::int64_t best = 0;
    const auto count = [&](std::int64_t node) {
      return std::count_if(places_.begin(), places_.end(), [&](const auto& entry) {
        return entry.second.node == node && entry.second.state == SlotState::kRunning;
      });
    };
    for (std::int64_t node = 1; node < kNodes; ++node)
      if (count(node) < count(best)) best = node;
    return best;
  }

  // Something else ended between the look and Swarm's removal: nobody's choice could know it.
  bool others_ended() const {
    return std::any_of(seen_running_.begin(), seen_running_.end(), [&](std::int64_t number) {
      const auto place = places_.find(number);
      return place == places_.end() || place->second.state != SlotState::kRunning;
    });
  }

  // Swarm's own order: the nth on its node, those that run counted first; the highest n goes.
  void remove_surplus() {
    removes_at_ = -1;
    std::vector<std::pair<std::pair<std::int64_t, bool>, std::int64_t>> order;
    std::map<std::int64_t, std::int64_t> nth;
    for (const bool running : {true, false})
      for (const auto& [number, place] : places_)
        if ((place.state == SlotState::kRunning) == running)
          order.push_back(
              {{place.node == kNoNode ? kBeforeAll : ++nth[place.node], !running}, number});
    std::sort(order.begin(), order.end());
    while (places_.size() + ended_ > replicas_) {
      if (ended_ > 0) {
        --ended_;
        continue;
      }
      const auto [rank, gone] = order.back();
      order.pop_back();
      if (!rank.second && !window_broken_ && !uneven_ && !others_ended())
        breach("a slot that ran was removed by Swarm's choice");
      places_.erase(gone);
    }
  }

  void faults() {
    if (calm() || !crashes_ || !chance(1) || places_.empty()) return;
    auto at = places_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(places_.size())));
    if (at->second.state != SlotState::kRunning || at->second.stops_at >= 0) return;
    end(at->second);
    if (at->second.incarnation < 0) places_.erase(at);
    crashed_until_ = now_ + 20'000;
  }

  // Of a task's id: its slot and incarnation. Compared at each tick, for which strings are slow.
  static std::pair<std::int64_t, int> ordered(const std::string& task) {
    std::size_t dot = 0;
    const std::int64_t number = std::stoll(task, &dot);
    return {number, std::stoi(task.substr(dot + 1))};
  }

  // --- the controller's side: look, decide, write the state, then act; each after a while
  ShrinkLook look() const {
    ShrinkLook out;
    out.now_unix_ms = now_;
    out.replicas = replicas_;
    out.target = target_;
    out.restart_delay_ms = kDelay;
    for (const auto& [number, place] : places_) {
      Slot slot;
      slot.number = number;
      slot.state = place.state;
      slot.task_id = std::to_string(number) + "." + std::to_string(place.incarnation);
      slot.name = "web." + slot.task_id;
      if (place.node != kNoNode) slot.node_id = slot.node = std::to_string(place.node);
      slot.created_unix_ms = place.planned_at;
      slot.facts.leaving = place.stops_at >= 0;
      out.uneven = uneven_;
      out.slots.push_back(std::move(slot));
    }
    return out;
  }

  void controller() {
    if (now_ < resumes_at_) return;
    if (!calm() && deaths_ && chance(1)) {
      // Whatever was not written is lost.
      pending_.reset();
      orders_.clear();
      resumes_at_ = now_ + static_cast<std::int64_t>(random_.below(15'000));
      return;
    }
    obey();
    if (pending_) return act();
    if (done_) return;
    ShrinkLook seen = look();
    if (planted_.in_look) planted_.in_look(seen);
    ShrinkStep step = shrink(victims_, seen);
    if (planted_.in_step) planted_.in_step(step, seen);
    if (step.done) {
      done_ = true;
      return;
    }
    const auto most = slow_writes_ && !calm() ? 8'000U : 1'000U;
    const auto takes = static_cast<std::int64_t>(random_.below(most));
    pending_ = Pending{step, version_, now_, now_ + takes / 3, now_ + takes, false, {}};
    for (const auto& [number, place] : places_)
      if (place.state == SlotState::kRunning) pending_->seen_running.insert(number);
  }

  void act() {
    if (!pending_->written && now_ >= pending_->state_at) {
      victims_ = pending_->step.victims;
      uneven_ = uneven_ || pending_->step.uneven;
      orders_.clear();
      for (const std::string& task : pending_->step.stop) orders_.insert(ordered(task));
      pending_->written = true;
    }
    if (now_ < pending_->scale_at) return;
    const Pending done = *pending_;
    pending_.reset();
    if (!done.step.scale_to || done.version != version_) return;
    if (now_ - done.looked_at > kWindowMarginMs - 500) window_broken_ = true;
    if (*done.step.scale_to < target_) breach("scaled below the target");
    if (*done.step.scale_to >= replicas_) breach("scaled to more than there were");
    replicas_ = *done.step.scale_to;
    seen_running_ = done.seen_running;
    ++version_;
    removes_at_ = now_ + static_cast<std::int64_t>(random_.below(300));
  }

  // Agents do what stands in the orders, some of the time.
  void obey() {
    for (auto& [number, place] : places_) {
      const bool up = place.state == SlotState::kRunning || place.state == SlotState::kStarting;
      if (!up || place.stops_at >= 0 || !orders_.contains({number, place.incarnation})) continue;
      if (lost_stops_ && !calm() && !chance(2)) continue;
      place.stops_at = now_ + 100 + static_cast<std::int64_t>(random_.below(20'000));
    }
  }

  void check() {
    if (crashes_ && now_ < crashed_until_) return;
    if (window_broken_ || crashed_until_ > 0) return;
    const auto serving = std::count_if(places_.begin(), places_.end(), [](const auto& entry) {
      return entry.second.state == SlotState::kRunning && entry.second.stops_at < 0;
    });
    if (static_cast<std::uint64_t>(serving) < target_)
      breach("only " + std::to_string(serving) + " of " + std::to_string(target_) + " serve");
  }

  struct Pending {
    ShrinkStep step;
    int version = 0;
    std::int64_t looked_at = 0, state_at = 0, scale_at = 0;
    bool written = false;
    std::set<std::int64_t> seen_running;
  };

  static constexpr std::int64_t kDelay = 5'000;
  static constexpr std::int64_t kNodes = 4;
  static constexpr std::int64_t kNoNode = -1;
  static constexpr std::int64_t kBeforeAll = 1'000;
  Random random_;
  Planted planted_;
  std::int64_t now_ = 0;
  std::uint64_t replicas_ = 0, target_ = 0, ended_ = 0;
  bool restarts_ = true, slow_writes_ = false, crashes_ = false, deaths_ = false;
  bool lost_stops_ = false;
  bool window_broken_ = false;
  bool uneven_ = false;                  // the rule's own memory
  std::set<std::int64_t> seen_running_;  // at the look that the last write was made from
  std::int64_t crashed_until_ = 0;
  std::map<std::int64_t, Place> places_;
  std::int64_t removes_at_ = -1, resumes_at_ = 0;
  int version_ = 0;
  std::vector<Victim> victims_;
  std::set<std::pair<std::int64_t, int>> orders_;  // slot, incarnation
  std::optional<Pending> pending_;
  bool done_ = false;
  std::vector<std::string> breaches_;
};

constexpr std::uint64_t kSeeds = 2'000;

int breached(const Planted& planted, std::uint64_t seeds) {
  int count = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Swarm swarm(seed, planted);
    swarm.run();
    if (!swarm.breaches().empty()) ++count;
  }
  return count;
}

TEST(ExactShrinkModelTest, HoldsWhateverFails) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Swarm swarm(seed, {});
    swarm.run();
    ASSERT_TRUE(swarm.breaches().empty()) << "seed " << seed << ": " << swarm.breaches().front();
  }
}

TEST(ExactShrinkModelTest, FindsAShrinkThatIsSentWithTheStop) {
  const Planted bug{{}, [](ShrinkStep& step, const ShrinkLook& look) {
                      if (look.replicas > look.target) step.scale_to = look.target;
                    }};
  EXPECT_GT(breached(bug, 200), 20);
}

TEST(ExactShrinkModelTest, FindsAShrinkThatDoesNotWaitForTheScheduler) {
  const Planted bug{[](ShrinkLook& look) {
                      for (Slot& slot : look.slots)
                        if (slot.node_id.empty()) slot.created_unix_ms -= kPlacingMs;
                      look.restart_delay_ms += kPlacingMs;
                    },
                    {}};
  EXPECT_GT(breached(bug, 1'000), 5);
}

TEST(ExactShrinkModelTest, FindsAShrinkByOneLessThanIsWritten) {
  const Planted bug{{}, [](ShrinkStep& step, const ShrinkLook& look) {
                      if (step.scale_to && look.replicas > 0) step.scale_to = look.replicas - 1;
                      if (step.stopping > 0 && !step.scale_to && look.replicas > 0 &&
                          step.stop.size() < step.stopping)
                        step.scale_to = look.replicas - 1;
                    }};
  EXPECT_GT(breached(bug, 200), 20);
}

TEST(ExactShrinkModelTest, FindsAWindowThatIsNotWatched) {
  const Planted bug{[](ShrinkLook& look) {
                      for (Slot& slot : look.slots)
                        if (slot.state == SlotState::kPlanned || slot.state == SlotState::kStarting)
                          slot.state = SlotState::kWaiting;
                    },
                    {}};
  EXPECT_GT(breached(bug, 1'000), 5);
}

TEST(ExactShrinkModelTest, FindsAStopThatIsNotRepeated) {
  const Planted bug{{}, [](ShrinkStep& step, const ShrinkLook&) {
                      std::erase_if(step.stop,
                                    [](const std::string& task) { return !task.ends_with(".0"); });
                    }};
  EXPECT_GT(breached(bug, 1'000), 5);
}

}  // namespace
}  // namespace hive::decide::placement
