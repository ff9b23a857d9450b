// The supervisor over a small Swarm with faults: an updater that replaces start-first or
// stop-first, pauses at failures and never gives up on a task that cannot start; versions that are
// good, cannot start, crash, fail requests or are slow; nodes that go down; controllers that die
// and forget. The checkers ask what users are promised; that they bite is shown on planted bugs.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "base/random.h"
#include "decide/rollout/supervisor.h"

namespace hive::decide::rollout {
namespace {

enum class Kind { kGood, kNeverStarts, kCrashes, kCrashesLater, kFailsRequests, kSlow };

struct Planted {
  std::function<void(Sight&)> in_sight;
  std::function<void(Decision&)> in_decision;
};

constexpr std::int64_t kTick = 1'000;
constexpr std::int64_t kEnd = 1'200'000;

struct Task {
  bool is_new = false;
  TaskStage stage = TaskStage::kServing;
  std::int64_t ready_at = 0;
  std::int64_t crash_at = -1;
  bool node_lost = false;
};

struct Slot {
  std::vector<Task> tasks;
  std::int64_t restart_at = -1;
};

class World {
 public:
  World(std::uint64_t seed, Planted planted) : random_(seed), planted_(std::move(planted)) {
    kind_ = static_cast<Kind>(random_.below(6));
    start_first_ = random_.below(2) == 0;
    replicas_ = 1 + random_.below(5);
    // What is promised of requests holds where enough of them come.
    rate_ = kind_ == Kind::kFailsRequests || kind_ == Kind::kSlow ? 40 : random_.below(30);
    node_fails_at_ =
        random_.below(100) < 20 ? static_cast<std::int64_t>(random_.below(40'000)) : -1;
    forgets_at_ = random_.below(100) < 40 ? static_cast<std::int64_t>(random_.below(60'000)) : -1;
    pauses_ = random_.below(4) != 0;  // else failures are tolerated
    policy_.start_deadline_ms = 60'000;
    slots_.resize(replicas_);
    for (Slot& slot : slots_) slot.tasks.push_back({});
  }

  void run() {
    for (now_ = 1; now_ < kEnd; now_ += kTick) {
      if (node_fails_at_ >= 0 && now_ >= node_fails_at_) lose_node();
      for (Slot& slot : slots_) live(slot);
      if (!paused_) update();
      requests();
      capacity();
      if (forgets_at_ >= 0 && now_ >= forgets_at_) {
        memory_ = {};
        old_ = {};
        new_ = {};
        forgets_at_ = -1;
      }
      Sight sight = look();
      if (planted_.in_sight) planted_.in_sight(sight);
      Decision decision = next(sight, policy_, memory_);
      if (planted_.in_decision) planted_.in_decision(decision);
      if (decision.verb == Verb::kResume) paused_ = false;
      if (decision.verb == Verb::kUndo || decision.verb == Verb::kDone) {
        end_ = decision;
        ended_at_ = now_;
        return;
      }
    }
  }

  bool ended() const { return ended_at_ > 0; }
  bool undone() const { return ended() && end_.verb == Verb::kUndo; }
  bool done() const { return ended() && end_.verb == Verb::kDone; }
  bool good() const { return kind_ == Kind::kGood; }
  // A version that crashes after it was watched is beyond a rollout; so is one that nobody asks.
  bool must_be_undone() const {
    return kind_ == Kind::kNeverStarts || kind_ == Kind::kCrashes ||
           (kind_ == Kind::kFailsRequests && !forgot_everything());
  }
  bool all_serve() const {
    for (const Slot& slot : slots_) {
      bool serves = false;
      for (const Task& task : slot.tasks)
        serves = serves || (task.is_new && task.stage == TaskStage::kServing);
      if (!serves) return false;
    }
    return true;
  }
  bool dipped() const { return dipped_; }
  bool start_first() const { return start_first_; }
  bool node_failed() const { return node_failed_; }
  std::string story() const {
    return "kind " + std::to_string(static_cast<int>(kind_)) + ", " + std::to_string(replicas_) +
           " replicas, " + (start_first_ ? "start" : "stop") + "-first, ended at " +
           std::to_string(ended_at_) + ": " + std::string(to_string(end_.verb)) + ", " +
           end_.reason;
  }

 private:
  // With the old version's figures lost and no old task left there is nothing to compare with.
  bool forgot_everything() const { return old_.requests < policy_.tolerance.min_requests; }

  Task fresh() {
    Task task;
    task.is_new = true;
    task.stage = TaskStage::kStarting;
    task.ready_at = now_ + 1'000 + static_cast<std::int64_t>(random_.below(8'000));
    if (kind_ == Kind::kNeverStarts) task.ready_at = kEnd * 2;
    if (kind_ == Kind::kCrashes)
      task.crash_at = now_ + static_cast<std::int64_t>(random_.below(5'000));
    if (kind_ == Kind::kCrashesLater) task.crash_at = task.ready_at + 500'000;
    return task;
  }

  void live(Slot& slot) {
    for (Task& task : slot.tasks) {
      if (task.stage == TaskStage::kStarting && now_ >= task.ready_at)
        task.stage = TaskStage::kServing;
      const bool runs = task.stage == TaskStage::kStarting || task.stage == TaskStage::kServing;
      if (task.crash_at < 0 || now_ < task.crash_at || !runs) continue;
      task.stage = TaskStage::kFailed;
      slot.restart_at = now_ + 5'000;
      if (pauses_ && updating_) paused_ = true;
    }
    if (slot.restart_at < 0 || now_ < slot.restart_at) return;
    slot.restart_at = -1;
    slot.tasks.push_back(fresh());
  }

  // One slot at a time, as Swarm does.
  void update() {
    updating_ = false;
    for (Slot& slot : slots_) {
      bool has_new = false, new_serves = false, has_old = false;
      for (const Task& task : slot.tasks) {
        const bool alive = task.stage == TaskStage::kStarting || task.stage == TaskStage::kServing;
        has_new = has_new || (task.is_new && alive);
        new_serves = new_serves || (task.is_new && task.stage == TaskStage::kServing);
        has_old = has_old || (!task.is_new && alive);
      }
      if (new_serves && !has_old) continue;
      updating_ = true;
      if (!has_new && slot.restart_at < 0) slot.tasks.push_back(fresh());
      if (has_old && (new_serves || !start_first_))
        for (Task& task : slot.tasks)
          if (!task.is_new && task.stage == TaskStage::kServing) task.stage = TaskStage::kLeaving;
      return;
    }
  }

  void lose_node() {
    node_fails_at_ = -1;
    for (Task& task : slots_[random_.below(slots_.size())].tasks) {
      if (task.stage != TaskStage::kStarting && task.stage != TaskStage::kServing) continue;
      if (!task.is_new) continue;
      task.stage = TaskStage::kFailed;
      task.node_lost = true;
      node_failed_ = true;
      if (pauses_ && updating_) paused_ = true;
    }
    for (Slot& slot : slots_)
      if (!slot.tasks.empty() && slot.tasks.back().node_lost) slot.restart_at = now_ + 1'000;
  }

  void requests() {
    std::vector<const Task*> serving;
    bool old_serves = false, new_serves = false;
    for (const Slot& slot : slots_)
      for (const Task& task : slot.tasks) {
        if (task.stage != TaskStage::kServing) continue;
        serving.push_back(&task);
        (task.is_new ? new_serves : old_serves) = true;
      }
    if (serving.empty()) return;
    for (std::uint64_t i = 0; i < rate_; ++i) {
      const bool is_new = serving[random_.below(serving.size())]->is_new;
      VersionStats& stats = is_new ? new_ : old_;
      ++stats.requests;
      if (is_new && kind_ == Kind::kFailsRequests && random_.below(10) < 7) ++stats.errors;
      if (random_.below(1'000) < 3) ++stats.errors;
      stats.response_time_ms = is_new && kind_ == Kind::kSlow ? 2'000 : 20;
    }
    (void)old_serves;
    (void)new_serves;
  }

  void capacity() {
    std::uint64_t serving = 0;
    for (const Slot& slot : slots_)
      for (const Task& task : slot.tasks) serving += task.stage == TaskStage::kServing ? 1 : 0;
    if (serving < replicas_ && !node_failed_ && kind_ != Kind::kCrashesLater) dipped_ = true;
  }

  Sight look() const {
    Sight sight;
    sight.wanted = replicas_;
    sight.updater = paused_ ? Updater::kPaused : updating_ ? Updater::kUpdating : Updater::kIdle;
    sight.updater_message = "update paused due to failure";
    sight.old_version = old_;
    sight.new_version = new_;
    sight.now_ms = now_;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      for (const Task& task : slots_[i].tasks)
        sight.tasks.push_back(
            {task.is_new, task.stage, std::to_string(i + 1), "it says why", task.node_lost});
    return sight;
  }

  Random random_;
  Planted planted_;
  Policy policy_;
  Memory memory_;
  Kind kind_ = Kind::kGood;
  bool start_first_ = true;
  std::uint64_t replicas_ = 1;
  std::uint64_t rate_ = 0;
  std::int64_t node_fails_at_ = -1;
  std::int64_t forgets_at_ = -1;
  bool pauses_ = true;
  bool paused_ = false;
  bool updating_ = false;
  bool node_failed_ = false;
  bool dipped_ = false;
  std::vector<Slot> slots_;
  VersionStats old_, new_;
  std::int64_t now_ = 0;
  std::int64_t ended_at_ = 0;
  Decision end_;
};

// The first promise that was broken, or nothing.
std::string broken(std::uint64_t seed, const Planted& planted) {
  World world(seed, planted);
  world.run();
  const std::string where = "seed " + std::to_string(seed) + ": " + world.story() + ": ";
  if (!world.ended()) return where + "it never ended";
  if (world.good() && world.undone()) return where + "a good version was undone";
  if (world.must_be_undone() && world.done()) return where + "a bad version was taken";
  if (world.done() && !world.all_serve()) return where + "done before all served";
  if (world.start_first() && world.good() && world.dipped()) return where + "capacity dipped";
  return "";
}

constexpr std::uint64_t kSeeds = 3'000;

TEST(SupervisorModel, KeepsItsPromisesUnderFaults) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) ASSERT_EQ(broken(seed, {}), "");
}

bool found(const Planted& planted) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
    if (!broken(seed, planted).empty()) return true;
  return false;
}

TEST(SupervisorModel, TheCheckersFindPlantedBugs) {
  EXPECT_TRUE(found({[](Sight& sight) {
                       for (TaskView& task : sight.tasks)
                         if (task.stage == TaskStage::kStarting) task.stage = TaskStage::kServing;
                     },
                     {}}))
      << "tasks that start were taken for serving";
  EXPECT_TRUE(found({[](Sight& sight) {
                       for (TaskView& task : sight.tasks) task.node_lost = false;
                     },
                     {}}))
      << "a lost node was held against the version";
  EXPECT_TRUE(found({[](Sight& sight) { sight.new_version.errors = 0; }, {}}))
      << "errors were not seen";
  EXPECT_TRUE(found({{},
                     [](Decision& decision) {
                       if (decision.verb == Verb::kUndo) decision.verb = Verb::kWait;
                     }}))
      << "nothing was ever undone";
  EXPECT_TRUE(found({{},
                     [](Decision& decision) {
                       if (decision.verb == Verb::kHold) decision.verb = Verb::kDone;
                       if (decision.verb == Verb::kWait && decision.done + 1 == decision.of)
                         decision.verb = Verb::kDone;
                     }}))
      << "done one task too early";
  EXPECT_TRUE(found({[](Sight& sight) { std::swap(sight.old_version, sight.new_version); }, {}}))
      << "versions were mixed up";
}

}  // namespace
}  // namespace hive::decide::rollout
