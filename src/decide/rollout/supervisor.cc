#include "decide/rollout/supervisor.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace hive::decide::rollout {
namespace {

using std::to_string;

struct Count {
  std::uint64_t serving = 0;  // of the version that is wanted
  std::uint64_t starting = 0;
  std::uint64_t others = 0;         // of the other version, not told to leave
  std::uint64_t lingering = 0;      // of the other version: told to leave, still asked
  std::uint64_t places = 0;         // of all that are not leaving
  std::uint64_t most_failures = 0;  // of one place
  std::string trouble;              // the version's own, of the task that failed last
  std::string waits_for;            // of one that does not serve yet
  std::int64_t trouble_ms = 0;      // when that was
  std::int64_t waits_ms = 0;
  bool failed = false;     // a task failed by its own fault
  bool lost_node = false;  // a task failed with its node
};

// Keeps the newest of what is said.
void tell(const TaskView& task, std::string& said, std::int64_t& at_ms) {
  if (task.trouble.empty() || (!said.empty() && task.since_ms < at_ms)) return;
  said = task.trouble;
  at_ms = task.since_ms;
}

Count count(const Sight& sight, bool wanted_is_new) {
  Count out;
  std::map<std::string, std::uint64_t> failures;
  std::map<std::string, bool> places;
  for (const TaskView& task : sight.tasks) {
    const bool ours = task.is_new == wanted_is_new;
    if (task.stage != TaskStage::kLeaving && task.stage != TaskStage::kFailed)
      places[task.place] = true;
    if (!ours) {
      if (task.stage != TaskStage::kLeaving && task.stage != TaskStage::kFailed) ++out.others;
      if (task.stage == TaskStage::kLeaving && task.lingers) ++out.lingering;
      continue;
    }
    switch (task.stage) {
      case TaskStage::kServing:
        ++out.serving;
        break;
      case TaskStage::kStarting:
        ++out.starting;
        tell(task, out.waits_for, out.waits_ms);
        break;
      case TaskStage::kFailed:
        if (task.node_lost) {
          out.lost_node = true;
          break;
        }
        out.failed = true;
        tell(task, out.trouble, out.trouble_ms);
        out.most_failures = std::max(out.most_failures, ++failures[task.place]);
        break;
      case TaskStage::kLeaving:
        break;
    }
  }
  out.places = places.size();
  return out;
}

std::string seconds(std::int64_t ms) {
  return format_duration(std::chrono::seconds(std::max<std::int64_t>(0, ms) / 1'000));
}

std::string why_failed(const Count& counted, const std::string& fallback) {
  return counted.trouble.empty() ? fallback : counted.trouble;
}

void keep_progress(const Count& counted, std::int64_t now_ms, Memory& memory) {
  if (memory.progress_at_ms == 0 || counted.serving > memory.serving)
    memory.progress_at_ms = now_ms;
  memory.serving = std::max(memory.serving, counted.serving);
}

// The version's own faults, whatever the update is at.
std::string bad(const Sight& sight, const Policy& policy, const Count& counted, Memory& memory) {
  if (sight.updater == Updater::kPaused && counted.failed)
    return "a task of the new version failed: " + why_failed(counted, sight.updater_message);
  const std::uint64_t bound = sight.canary ? 1 : policy.slot_failures;
  if (counted.most_failures >= std::max<std::uint64_t>(bound, 1))
    return sight.canary ? "the canary failed: " + why_failed(counted, "it ended")
                        : "a task of the new version failed " + to_string(counted.most_failures) +
                              " times: " + why_failed(counted, "it ended");
  if (const auto why = more_errors(sight.old_version, sight.new_version, policy.tolerance))
    return "the new version fails: " + *why;
  const auto why = slower(sight.old_version, sight.new_version, policy.tolerance);
  if (!why) {
    memory.slower_since_ms = 0;
    return "";
  }
  if (memory.slower_since_ms == 0) memory.slower_since_ms = sight.now_ms;
  if (sight.now_ms - memory.slower_since_ms < policy.slow_for_ms) return "";
  return "the new version is slow: " + *why;
}

Decision watch(const Sight& sight, const Policy& policy, Memory& memory, Decision out) {
  if (memory.complete_at_ms == 0) memory.complete_at_ms = sight.now_ms;
  const auto needed = sight.canary ? policy.canary_ms : policy.monitor_ms;
  const auto watched = sight.now_ms - memory.complete_at_ms;
  if (watched >= needed && (sight.canary || sight.updater != Updater::kUpdating)) {
    out.verb = sight.canary ? Verb::kPromote : Verb::kDone;
    out.reason = sight.canary ? "the canary is good after " + seconds(watched) + ": " +
                                    in_words(sight.new_version) +
                                    " (old version: " + in_words(sight.old_version) + ")"
                              : "all " + to_string(out.of) + " tasks of the new version serve";
    if (sight.canary && sight.new_version.requests < policy.tolerance.min_requests)
      out.reason += "; too few requests came to judge it by them";
    return out;
  }
  out.verb = Verb::kHold;
  out.reason = (sight.canary ? "watches the canary for " : "watches the new version for ") +
               seconds(needed) + ": " + in_words(sight.new_version);
  return out;
}

Decision waiting(const Sight& sight, const Count& counted, Decision out) {
  out.verb = Verb::kWait;
  out.reason =
      sight.canary ? "waits until the canary serves"
      : counted.serving >= out.of && out.of > 0
          ? "waits until " + to_string(counted.others) + " tasks of the old version are let go"
          : to_string(counted.serving) + " of " + to_string(out.of) + " new tasks serve";
  if (!counted.waits_for.empty() && counted.serving < out.of)
    out.reason += " (" + counted.waits_for + ")";
  return out;
}

std::uint64_t wanted_of(const Sight& sight, const Count& counted) {
  return sight.global ? counted.places : sight.wanted;
}

}  // namespace

Decision next(const Sight& sight, const Policy& policy, Memory& memory) {
  const Count counted = count(sight, true);
  Decision out;
  out.of = wanted_of(sight, counted);
  out.done = std::min(counted.serving, out.of);
  keep_progress(counted, sight.now_ms, memory);
  const auto undo = [&](std::string reason) {
    out.verb = Verb::kUndo;
    out.reason = std::move(reason);
    return out;
  };
  if (auto why = bad(sight, policy, counted, memory); !why.empty()) return undo(std::move(why));
  if (sight.updater == Updater::kPaused && !sight.canary) {
    if (!counted.lost_node) return undo("Swarm paused the update: " + sight.updater_message);
    out.verb = Verb::kResume;
    out.reason = "Swarm paused the update for a task whose node was lost";
    return out;
  }
  const bool complete =
      counted.serving >= out.of && counted.starting == 0 && (sight.canary || counted.others == 0);
  if (complete) return watch(sight, policy, memory, out);
  memory.complete_at_ms = 0;
  const auto waited = sight.now_ms - memory.progress_at_ms;
  if (waited >= policy.start_deadline_ms) {
    const std::string why = counted.trouble.empty() ? counted.waits_for : counted.trouble;
    return undo("no further task of the new version served within " +
                seconds(policy.start_deadline_ms) + (why.empty() ? "" : ": " + why));
  }
  return waiting(sight, counted, out);
}

Decision next_back(const Sight& sight, const Policy& policy, Memory& memory) {
  const Count counted = count(sight, false);
  Decision out;
  out.of = wanted_of(sight, counted);
  out.done = std::min(counted.serving, out.of);
  keep_progress(counted, sight.now_ms, memory);
  // A bad version must not be asked any more when it is said to be gone.
  if (counted.serving >= out.of && counted.starting == 0 && counted.others == 0 &&
      counted.lingering == 0) {
    out.verb = Verb::kDone;
    out.reason = "all " + to_string(out.of) + " tasks of the old version serve";
    return out;
  }
  if (sight.now_ms - memory.progress_at_ms >= policy.start_deadline_ms) {
    out.verb = Verb::kUndo;
    out.reason = to_string(counted.serving) + " of " + to_string(out.of) +
                 " tasks of the old version serve after " + seconds(policy.start_deadline_ms);
    if (!counted.trouble.empty()) out.reason += ": " + counted.trouble;
    return out;
  }
  out.verb = sight.updater == Updater::kPaused ? Verb::kResume : Verb::kWait;
  out.reason =
      "goes back: " + to_string(counted.serving) + " of " + to_string(out.of) + " old tasks serve";
  return out;
}

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::kWait:
      return "wait";
    case Verb::kHold:
      return "hold";
    case Verb::kPromote:
      return "promote";
    case Verb::kResume:
      return "resume";
    case Verb::kUndo:
      return "undo";
    case Verb::kDone:
      return "done";
  }
  return "";
}

}  // namespace hive::decide::rollout
