// The stop sequence in a small world with faults: edges that hear late or never, an agent that is
// killed, a count that fails, a door that does not close, a hook that hangs, a slow collector. The
// checkers ask what users are promised; that they bite is shown on planted bugs.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "base/random.h"
#include "decide/drain/stop_sequence.h"

namespace hive::decide::drain {
namespace {

using State = CommandView::State;

// A bug put between the sequence and its world.
struct Planted {
  std::function<void(StopView&)> in_view;
  std::function<void(StopWish&, const StopView&)> in_wish;
};

constexpr Milliseconds kTick{50};
constexpr std::int64_t kEnd = 400'000;
constexpr std::int64_t kNever = 1'000'000'000;

struct Faults {
  std::int64_t agent_dead_from = kNever, agent_dead_to = kNever;
  std::int64_t controller_dead_from = kNever, controller_dead_to = kNever;
  bool door_fails = false;
  bool count_fails = false;
  bool hook_hangs = false;
  bool ignores_signal = false;
  bool logs_stall = false;
  bool killed_early = false;
};

// All times in ms from the stop signal. Requests come to each edge at random moments, at any phase
// of the sequence; an edge sends to the container until it has heard that it must not.
class World {
 public:
  World(std::uint64_t seed, Planted planted) : random_(seed), planted_(std::move(planted)) {
    const auto chance = [&](unsigned percent) { return random_.below(100) < percent; };
    if (chance(30)) {
      faults_.agent_dead_from = at_most(30'000);
      faults_.agent_dead_to = faults_.agent_dead_from + at_most(20'000);
    }
    if (chance(30)) {
      faults_.controller_dead_from = at_most(5'000);
      faults_.controller_dead_to = faults_.controller_dead_from + at_most(100'000);
    }
    faults_.door_fails = chance(10);
    faults_.count_fails = chance(5);
    faults_.hook_hangs = chance(10);
    faults_.ignores_signal = chance(10);
    faults_.logs_stall = chance(10);
    faults_.killed_early = chance(5);
    if (chance(50)) policy_.pre_stop = {"hook"};
    if (chance(30)) policy_.stop_command = {"stop"};
    kill_at_ = model::grace_period(policy_).count();
    if (chance(20)) kill_at_ = 10'000;  // a person's docker stop
    if (faults_.killed_early) kill_at_ = 1 + at_most(10'000);
    hook_takes_ = at_most(5'000);
    app_takes_ = at_most(3'000);
    await_until_ = chance(50) ? at_most(40'000) : 0;
    edge_hears_ = {at_most(300), at_most(3'000)};
    bytes_ = at_most(10'000);
    const Faults& f = faults_;
    calm_ = f.agent_dead_from == kNever && f.controller_dead_from == kNever && !f.door_fails &&
            !f.count_fails && !f.hook_hangs && !f.ignores_signal && !f.logs_stall &&
            kill_at_ > 60'000 && await_until_ < 20'000;
  }

  void run() {
    sequence_ = fresh();
    for (now_ = 0; now_ < kEnd && init_ != InitState::kGone; now_ += kTick.count()) {
      traffic();
      container();
      agent();
      ended_at_ = now_;
    }
    if (agent_lives()) turn();
  }

  // --- what is promised
  bool ended() const { return init_ == InitState::kGone && ended_at_ < kill_at_ + kTick.count(); }
  bool killed() const { return ended_at_ >= kill_at_; }
  std::uint64_t lost_requests() const { return lost_; }
  std::int64_t lost_bytes() const { return bytes_ - safe_; }
  bool told_before_hook_ended() const { return told_before_hook_; }
  // A loss is said where it was caused; nobody is left to say it when the agent was dead.
  bool said(std::initializer_list<const char*> words) const {
    if (agent_was_late_) return true;
    for (const std::string& sentence : sequence_.progress().given_up)
      for (const char* word : words)
        if (sentence.find(word) != std::string::npos) return true;
    return false;
  }
  bool anything_given_up() const { return !sequence_.progress().given_up.empty(); }
  bool calm() const { return calm_; }

 private:
  std::int64_t at_most(std::int64_t ms) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(ms)));
  }
  MonotonicTime time(std::int64_t ms) const {
    return MonotonicTime(std::chrono::hours(1)) + Milliseconds(ms);
  }
  StopSequence fresh() { return StopSequence(policy_, time(0), time(kill_at_)); }
  bool agent_lives() const {
    return now_ < faults_.agent_dead_from || now_ >= faults_.agent_dead_to;
  }
  bool controller_lives() const {
    return now_ < faults_.controller_dead_from || now_ >= faults_.controller_dead_to;
  }
  bool serves() const {
    return !told_ && (init_ == InitState::kHeld || init_ == InitState::kClaimed);
  }

  // Two other edges and the node's own, which ends sending when it is told.
  bool edge_sends(std::size_t edge) const {
    if (edge == 2) return !own_out_;
    return !heard_since_ || now_ < *heard_since_ + edge_hears_[edge];
  }
  void traffic() {
    std::erase_if(in_flight_, [&](std::int64_t until) { return until <= now_; });
    for (std::size_t edge = 0; edge < 3; ++edge) {
      if (!edge_sends(edge) || random_.below(100) >= 20 || door_ == Door::kClosed) continue;
      if (serves())
        in_flight_.push_back(now_ + 1 + at_most(random_.below(10) == 0 ? 8'000 : 200));
      else if (init_ == InitState::kStopping)
        ++lost_;  // taken by an application that is ending; a dead one refuses, which is retried
    }
    // The controller hears of the claim and publishes a table without the task; the edges follow.
    if (claimed_ && controller_lives() && agent_lives() && !heard_since_) heard_since_ = now_;
  }
  void tell() {
    told_ = true;
    lost_ += in_flight_.size();
    in_flight_.clear();
    init_ = InitState::kStopping;
    ends_at_ = faults_.ignores_signal ? kNever : now_ + app_takes_;
  }
  void container() {
    if (init_ == InitState::kHeld && now_ >= 8'000) {
      agent_was_late_ = true;
      tell();  // nobody claimed: as any other init
    }
    if (claim_ends_ && now_ >= *claim_ends_ && serves()) tell();
    if (init_ == InitState::kStopping && now_ >= ends_at_)
      init_ = claimed_ ? InitState::kFlushing : InitState::kGone;
    if (now_ >= kill_at_ && init_ != InitState::kGone) {
      lost_ += in_flight_.size();
      in_flight_.clear();
      agent_was_late_ = agent_was_late_ || !agent_lives();
      init_ = InitState::kGone;
    }
    const bool writes = serves() || init_ == InitState::kStopping;
    if (writes) bytes_ += 10;
    if (agent_lives() && (!faults_.logs_stall || writes)) safe_ = std::min(bytes_, safe_ + 2'000);
    if (hook_.state == State::kRunning && !faults_.hook_hangs && now_ >= hook_ends_)
      hook_.state = State::kEnded;
    if (command_.state == State::kRunning && now_ >= ends_at_) command_.state = State::kEnded;
  }
  void agent() {
    const bool lives = agent_lives();
    if (lives && !lived_) {  // killed, and started anew with what it kept
      sequence_ = fresh();
      if (kept_) sequence_.resume(*kept_);
    }
    lived_ = lives;
    if (lives) turn();
  }
  StopView look() const {
    StopView view;
    view.now = time(now_);
    view.init = init_;
    if (controller_lives()) {
      view.await_replacement = now_ < await_until_;
      view.routed = edge_sends(0) || edge_sends(1);
    }
    view.own_edge_out = own_out_;
    view.door = door_;
    if (!faults_.count_fails) view.connections = static_cast<std::uint32_t>(in_flight_.size());
    view.listens = init_ != InitState::kFlushing && !(told_ && now_ >= ends_at_);
    view.pre_stop = hook_;
    view.stop_command = command_;
    view.logs_watched = true;
    view.logs_safe = safe_ == bytes_ && !serves();
    view.log_bytes_missing = bytes_ - safe_;
    return view;
  }
  void turn() {
    StopView view = look();
    if (planted_.in_view) planted_.in_view(view);
    StopWish wish = sequence_.turn(view);
    if (planted_.in_wish) planted_.in_wish(wish, view);
    kept_ = sequence_.progress();
    if (wish.claim && init_ == InitState::kHeld) {
      claimed_ = true;
      init_ = InitState::kClaimed;
      claim_ends_ = now_ + wish.claim_for.count();
    }
    if (wish.drain_edge) own_out_ = true;
    if (wish.close_door && door_ == Door::kOpen)
      door_ = faults_.door_fails ? Door::kCannotClose : Door::kClosed;
    if (wish.run_pre_stop && hook_.state == State::kNotRun) {
      hook_.state = State::kRunning;
      hook_ends_ = now_ + hook_takes_;
    }
    if (wish.tell_application && !told_ && init_ == InitState::kClaimed) {
      told_before_hook_ = !policy_.pre_stop.empty() && hook_.state != State::kEnded &&
                          sequence_.progress().given_up.empty();
      tell();
      if (wish.tell_by_command) command_.state = State::kRunning;
    }
    if (wish.kill_application) ends_at_ = now_;
    if (wish.release && claimed_) init_ = InitState::kGone;
  }

  Random random_;
  Planted planted_;
  Faults faults_;
  model::StopPolicy policy_;
  std::int64_t now_ = 0, kill_at_ = 0, hook_takes_ = 0, hook_ends_ = 0, app_takes_ = 0;
  std::int64_t await_until_ = 0, ends_at_ = kNever, ended_at_ = 0;
  std::vector<std::int64_t> edge_hears_;
  std::optional<std::int64_t> heard_since_, claim_ends_;
  std::vector<std::int64_t> in_flight_;
  InitState init_ = InitState::kHeld;
  Door door_ = Door::kOpen;
  CommandView hook_, command_;
  bool calm_ = false, claimed_ = false, told_ = false, own_out_ = false, lived_ = true;
  bool told_before_hook_ = false, agent_was_late_ = false;
  std::uint64_t lost_ = 0;
  std::int64_t bytes_ = 0, safe_ = 0;
  std::optional<StopProgress> kept_;
  StopSequence sequence_{{}, {}, {}};
};

// The first promise that the world of this seed broke; empty = none.
std::string broken(std::uint64_t seed, const Planted& planted = {}) {
  World world(seed, planted);
  world.run();
  if (!world.ended()) return "it did not end before Docker's kill";
  if (world.told_before_hook_ended()) return "the application was told before pre_stop had ended";
  if (world.lost_requests() > 0 &&
      !world.said({"still open", "counted", "edges may", "ended while", "passed on"}))
    return "a request was lost unsaid";
  if (world.lost_bytes() > 0 && !world.said({"log byte", "ended while", "passed on"}))
    return "a log byte was lost unsaid";
  if (world.calm() && (world.lost_requests() > 0 || world.lost_bytes() > 0))
    return "something was lost with nothing amiss";
  if (world.calm() && world.killed()) return "Docker killed it with nothing amiss";
  if (world.calm() && world.anything_given_up()) return "something was given up with nothing amiss";
  return "";
}

TEST(StopSequenceModel, NothingIsLostUnsaidUnderFaults) {
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed)
    ASSERT_EQ(broken(seed), "") << "seed " << seed;
}

// True when a promise breaks for one of the seeds.
bool bites(const Planted& planted) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed)
    if (!broken(seed, planted).empty()) return true;
  return false;
}
bool bites(std::function<void(StopWish&, const StopView&)> bug) {
  return bites(Planted{nullptr, std::move(bug)});
}

TEST(StopSequenceModel, ABugInTheWorldsHandsIsFound) {
  EXPECT_FALSE(bites(Planted{}));
  EXPECT_TRUE(bites([](StopWish& wish, const StopView&) { wish.close_door = false; }));
  EXPECT_TRUE(bites([](StopWish& wish, const StopView&) { wish.release = false; }));
  EXPECT_TRUE(bites([](StopWish& wish, const StopView& view) {
    if (view.init == InitState::kClaimed) wish.tell_application = true;
  }));
}

TEST(StopSequenceModel, AnUntrueViewIsFound) {
  EXPECT_TRUE(bites(Planted{[](StopView& view) { view.logs_safe = true; }, nullptr}));
  EXPECT_TRUE(bites(Planted{[](StopView& view) { view.connections = 0; }, nullptr}));
  EXPECT_TRUE(bites(Planted{[](StopView& view) { view.pre_stop.state = State::kEnded; }, nullptr}));
}

}  // namespace
}  // namespace hive::decide::drain
