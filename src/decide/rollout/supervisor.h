// What a rollout does next, from what is there: a pure rule, asked anew after each look at the
// cluster. The tasks are replaced by Swarm's own updater (or, for a canary, a service of one task
// beside the real one); this rule watches them from outside, since the updater knows neither what
// the edges see nor a deadline: it waits for ever on a task that cannot start.
//
// A new version is bad when
//   - Swarm paused the update because a task of it failed, or a slot of it failed again and again;
//   - no further task of it began to serve within the deadline;
//   - more of its requests fail than of the old version's over the same time, or it is much slower
//     (evidence.h).
// Failures on a node that is down say nothing about the version: an update that Swarm paused for
// such a one is taken up again. When every wanted task has served for the monitor time, it is done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decide/rollout/evidence.h"

namespace hive::decide::rollout {

enum class TaskStage {
  kStarting,  // planned, pulling, starting, not healthy yet, or no edge reaches it yet
  kServing,
  kFailed,   // ended by itself, or could not start
  kLeaving,  // told to stop, by Swarm or by anybody
};

struct TaskView {
  bool is_new = false;
  TaskStage stage = TaskStage::kStarting;
  std::string place;          // its slot, or node for a global service
  std::string trouble;        // Swarm's or the agent's words, may be empty
  bool node_lost = false;     // its node is down or unknown
  bool lingers = false;       // it is leaving, and may still get requests
  std::int64_t since_ms = 0;  // when it came to where it is; of several troubles the newest is told
};

enum class Updater { kIdle, kUpdating, kPaused };  // what Swarm says of the service's update

struct Policy {
  Tolerance tolerance;
  std::int64_t start_deadline_ms = 300'000;  // until one more task serves
  std::int64_t monitor_ms = 5'000;           // that all must serve on
  std::int64_t canary_ms = 0;                // that a canary must serve; 0 = none
  std::uint64_t slot_failures = 3;           // of one slot, then it is a crash loop
  std::int64_t slow_for_ms = 5'000;          // so long must it be slower
};

struct Sight {
  bool canary = false;       // the canary step, not the rollout of all
  std::uint64_t wanted = 0;  // tasks of the new version in the end; 0 of a global service: as many
  bool global = false;       // as there are places with a task
  std::vector<TaskView> tasks;
  Updater updater = Updater::kIdle;
  std::string updater_message;
  VersionStats old_version;  // over the time in which both served
  VersionStats new_version;
  std::int64_t now_ms = 0;
};

// What must be kept between looks; all of it may be lost, then the times count anew.
struct Memory {
  std::uint64_t serving = 0;         // the most new tasks that served at once
  std::int64_t progress_at_ms = 0;   // when that was first so; 0 = the step begins now
  std::int64_t complete_at_ms = 0;   // since when all serve; 0 = they do not
  std::int64_t slower_since_ms = 0;  // 0 = it is not
  bool operator==(const Memory&) const = default;
};

enum class Verb {
  kWait,     // tasks are being replaced
  kHold,     // all serve; they are watched
  kPromote,  // the canary is good: the rest may follow
  kResume,   // Swarm paused the update for a reason that is not the version's
  kUndo,
  kDone,
};

struct Decision {
  Verb verb = Verb::kWait;
  std::string reason;  // one sentence without its full stop
  std::uint64_t done = 0;
  std::uint64_t of = 0;
};

Decision next(const Sight& sight, const Policy& policy, Memory& memory);

// The way back: kWait, kResume, kDone, or kUndo when it does not get there within the deadline,
// which leaves it to people. `is_new` of the tasks is then true of those that must go.
Decision next_back(const Sight& sight, const Policy& policy, Memory& memory);

std::string_view to_string(Verb verb);

}  // namespace hive::decide::rollout
