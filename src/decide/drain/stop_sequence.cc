#include "decide/drain/stop_sequence.h"

#include <algorithm>
#include <utility>

namespace hive::decide::drain {
namespace {

using model::StopStep;

constexpr std::size_t kMaxGivenUp = 20;
constexpr Milliseconds kClaimTime{2'000};
// Of the time to kill: what is left for init to end the container in.
constexpr Milliseconds kLastMoment{500};

std::string seconds(Milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) +
         " s";
}

std::string count_of(std::uint64_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

StopStep after(StopStep step) { return static_cast<StopStep>(static_cast<int>(step) + 1); }

Milliseconds since(MonotonicTime then, MonotonicTime now) {
  return std::chrono::duration_cast<Milliseconds>(now - then);
}

}  // namespace

StopSequence::StopSequence(model::StopPolicy policy, MonotonicTime started,
                           MonotonicTime docker_kills)
    : policy_(std::move(policy)), kill_at_(docker_kills) {
  at_.entered = started;
}

// Waiting and draining share the policy's drain time: a replacement that does not come must leave
// some of it for the requests in flight.
Milliseconds StopSequence::wanted(StopStep step) const {
  switch (step) {
    case StopStep::kClaimed:
      return kClaimTime;
    case StopStep::kWaiting:
      return policy_.drain * 2 / 3;
    case StopStep::kDraining:
      return policy_.drain -
             std::min(policy_.drain * 2 / 3,
                      Milliseconds(at_.took_ms[static_cast<std::size_t>(StopStep::kWaiting)]));
    case StopStep::kHooks:
      return policy_.pre_stop.empty() ? Milliseconds(0) : policy_.hooks;
    case StopStep::kStopping:
      return policy_.stop;
    case StopStep::kFlushing:
      return policy_.flush;
    case StopStep::kDone:
      break;
  }
  return Milliseconds(0);
}

MonotonicTime StopSequence::deadline() const {
  const Milliseconds mine = wanted(at_.step);
  Milliseconds rest{0};
  for (StopStep step = after(at_.step); step < StopStep::kDone; step = after(step)) {
    // Waiting's share is within the drain time, which draining counts too.
    if (step != StopStep::kWaiting) rest += wanted(step);
    if (step == StopStep::kDraining && at_.step == StopStep::kWaiting) rest -= mine;
  }
  const Milliseconds left = std::max(since(at_.entered, kill_at_) - kLastMoment, Milliseconds(0));
  if (mine + rest <= left || mine.count() == 0) return at_.entered + mine;
  const double share =
      static_cast<double>(mine.count()) / static_cast<double>((mine + rest).count());
  return at_.entered +
         Milliseconds(static_cast<std::int64_t>(share * static_cast<double>(left.count())));
}

void StopSequence::give_up(std::string sentence) {
  if (at_.given_up.size() < kMaxGivenUp &&
      std::find(at_.given_up.begin(), at_.given_up.end(), sentence) == at_.given_up.end())
    at_.given_up.push_back(std::move(sentence));
}

void StopSequence::enter(StopStep step, MonotonicTime now) {
  at_.took_ms[static_cast<std::size_t>(at_.step)] += since(at_.entered, now).count();
  at_.step = step;
  at_.entered = now;
}

StopWish StopSequence::turn(const StopView& view) {
  StopWish wish;
  if (done()) return wish;
  if (view.init == InitState::kGone) {
    if (!released_) give_up("the container ended while it was " + std::string(to_string(at_.step)));
    enter(StopStep::kDone, view.now);
    return wish;
  }
  if (view.init == InitState::kUnheld) {
    give_up("the stop signal was passed on before it was claimed");
    wish.drain_edge = wish.close_door = true;
    return wish;
  }
  while (!done() && over(view, wish)) {
    // The container is let go, and goes: the step ends with it.
    if (at_.step == StopStep::kFlushing) break;
    enter(after(at_.step), view.now);
  }
  // What was reached holds until the end: an agent started anew has an edge that knows nothing.
  if (at_.step > StopStep::kWaiting) wish.drain_edge = true;
  if (at_.step > StopStep::kDraining) wish.close_door = true;
  return wish;
}

bool StopSequence::over(const StopView& view, StopWish& wish) {
  switch (at_.step) {
    case StopStep::kClaimed:
      wish.claim = view.init == InitState::kHeld;
      wish.claim_for = std::max(since(view.now, kill_at_), Milliseconds(1'000));
      return !wish.claim;
    case StopStep::kWaiting:
      return waited(view);
    case StopStep::kDraining:
      return drained(view, wish);
    case StopStep::kHooks:
      return hooked(view, wish);
    case StopStep::kStopping:
      return stopped(view, wish);
    case StopStep::kFlushing:
      wish.release = flushed(view);
      released_ = released_ || wish.release;
      return wish.release;
    case StopStep::kDone:
      break;
  }
  return false;
}

bool StopSequence::waited(const StopView& view) {
  // Without a controller nobody knows of a replacement. An application that has ended needs none.
  if (view.force || !view.await_replacement.value_or(false)) return true;
  if (view.init == InitState::kFlushing) return true;
  if (!late(view.now)) return false;
  give_up("its replacement was not ready after " + seconds(since(at_.entered, view.now)));
  return true;
}

bool StopSequence::drained(const StopView& view, StopWish& wish) {
  wish.drain_edge = true;
  if (view.init == InitState::kFlushing) return true;  // nobody is left to answer
  const bool patient =
      since(at_.entered, view.now) < kEdgePatience && !view.force && !late(view.now);
  const bool edges_out = view.own_edge_out && view.routed.has_value() && !*view.routed;
  if (!edges_out && patient) return false;
  // Refused connections are tried elsewhere; those that were accepted are counted below.
  wish.close_door = true;
  const bool shut = view.door == Door::kClosed || (view.door == Door::kCannotClose && edges_out);
  if (shut && view.connections == 0U) return true;
  if (!view.force && !late(view.now)) return false;
  if (!shut) {
    // Forced or late, the wish must be fulfilled first: it takes no time.
    if (view.door == Door::kOpen && since(at_.entered, view.now) < kEdgePatience) return false;
    std::string names;
    for (const auto& name : view.edges_behind) names += (names.empty() ? ": " : ", ") + name;
    give_up("edges may still have sent requests when it was stopped" + names);
  }
  if (!view.connections)
    give_up("its open connections could not be counted");
  else if (*view.connections > 0)
    give_up(count_of(*view.connections, "connection was", "connections were") +
            " still open after " + seconds(since(at_.entered, view.now)));
  return true;
}

bool StopSequence::hooked(const StopView& view, StopWish& wish) {
  if (policy_.pre_stop.empty() || view.force) return true;
  // Also when the application has ended: the container is kept, and a hook may be what sends its
  // last lines.
  using State = CommandView::State;
  if (view.pre_stop.state == State::kEnded) {
    if (view.pre_stop.exit_code != 0)
      give_up("pre_stop ended with exit code " + std::to_string(view.pre_stop.exit_code));
    return true;
  }
  if (view.pre_stop.state == State::kFailed) {
    give_up("pre_stop could not be run: " + view.pre_stop.fault);
    return true;
  }
  wish.run_pre_stop = true;
  if (!late(view.now)) return false;
  give_up("pre_stop had not ended after " + seconds(since(at_.entered, view.now)));
  return true;
}

bool StopSequence::stopped(const StopView& view, StopWish& wish) {
  if (view.init == InitState::kFlushing) return true;
  const bool by_command = !policy_.stop_command.empty() && !view.force &&
                          view.stop_command.state != CommandView::State::kFailed;
  if (!policy_.stop_command.empty() && view.stop_command.state == CommandView::State::kFailed)
    give_up("stop_command could not be run: " + view.stop_command.fault +
            "; the stop signal was sent instead");
  wish.tell_application = true;
  wish.tell_by_command = by_command;
  // Where an entry script runs the application beside a shipper, the script lives on: the
  // application has ended when its command has and nothing listens any more.
  if (by_command && view.stop_command.state == CommandView::State::kEnded) {
    if (view.stop_command.exit_code != 0)
      give_up("stop_command ended with exit code " + std::to_string(view.stop_command.exit_code));
    if (!view.listens) return true;
  }
  if (!late(view.now)) return false;
  if (!killed_)
    give_up("the application had not ended after " + seconds(since(at_.entered, view.now)) +
            " and was killed");
  killed_ = true;
  wish.kill_application = true;
  return false;
}

bool StopSequence::flushed(const StopView& view) {
  if (released_ || !view.logs_watched || view.logs_safe) return true;
  if (!view.force && !late(view.now)) return false;
  give_up(count_of(view.log_bytes_missing, "log byte was", "log bytes were") +
          " not delivered after " + seconds(since(at_.entered, view.now)));
  return true;
}

}  // namespace hive::decide::drain
