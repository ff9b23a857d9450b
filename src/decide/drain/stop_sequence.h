// The stop sequence of one container, as a pure rule: from what its node sees now to what shall be
// done next. Level-triggered: each turn begins with what is there, wishes are repeated until they
// are seen fulfilled, so a new agent picks up where the last one was killed.
//
//   claimed -> waiting -> draining -> hooks -> stopping -> flushing -> done
//
// Each step has a deadline from the service's policy; where the whole must fit into less (a
// person's `docker stop` has 10 s), the steps share what is left in proportion. What a deadline cut
// short is said in given_up().
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/stop_policy.h"
#include "model/stop_record.h"

namespace hive::decide::drain {

// Of the container's hive-init (src/init/protocol.h).
enum class InitState {
  kGone,      // the container has ended
  kUnheld,    // it runs and holds nothing: idle, armed, or it passed the signal on unclaimed
  kHeld,      // the stop signal is held and waits for a claim
  kClaimed,   // held for this agent
  kStopping,  // the application was told to stop
  kFlushing   // the application has ended, the container is kept
};

// A command run inside the container.
struct CommandView {
  enum class State { kNotRun, kRunning, kEnded, kFailed };
  State state = State::kNotRun;
  int exit_code = 0;
  std::string fault;  // why it could not be run
};

enum class Door { kOpen, kClosed, kCannotClose };

struct StopView {
  MonotonicTime now{};
  InitState init = InitState::kHeld;
  bool force = false;  // somebody will not wait
  // From the controller; nothing = none answers.
  std::optional<bool> await_replacement;
  std::optional<bool> routed;                // some edge may still send new requests
  std::vector<std::string> edges_behind;     // names of those
  bool own_edge_out = false;                 // this node's edge sends none
  Door door = Door::kOpen;                   // of the container's target ports, to new connections
  std::optional<std::uint32_t> connections;  // established and inbound; nothing = not countable
  bool listens = true;                       // the application still listens at a target port
  CommandView pre_stop;
  CommandView stop_command;
  bool logs_watched = false;  // there are logs to be proven
  bool logs_safe = false;     // every byte of them is
  std::uint64_t log_bytes_safe = 0;
  std::uint64_t log_bytes_missing = 0;
};

// What shall be so; all idempotent.
struct StopWish {
  bool claim = false;
  Milliseconds claim_for{0};  // init goes on by itself after it
  bool drain_edge = false;
  bool close_door = false;
  bool run_pre_stop = false;
  bool tell_application = false;  // by its stop signal, or (tell_by_command) by stop_command
  bool tell_by_command = false;
  bool kill_application = false;
  bool release = false;
  bool operator==(const StopWish&) const = default;
};

// What a new agent needs to go on where the last one was killed.
struct StopProgress {
  model::StopStep step = model::StopStep::kClaimed;
  MonotonicTime entered{};
  std::array<std::int64_t, model::kStopSteps> took_ms{};  // of steps that are over
  std::vector<std::string> given_up;
};

class StopSequence {
 public:
  // `docker_kills`: when Docker sends SIGKILL, whatever happens here.
  StopSequence(model::StopPolicy policy, MonotonicTime started, MonotonicTime docker_kills);
  void resume(StopProgress progress) { at_ = std::move(progress); }

  // More or less time than was thought at first.
  void set_kill_time(MonotonicTime docker_kills) { kill_at_ = docker_kills; }

  // Advances as far as the view allows, and says what is to be done.
  StopWish turn(const StopView& view);

  const StopProgress& progress() const { return at_; }
  model::StopStep step() const { return at_.step; }
  bool done() const { return at_.step == model::StopStep::kDone; }
  // When the step now running must be over.
  MonotonicTime deadline() const;

 private:
  bool over(const StopView& view, StopWish& wish);
  bool waited(const StopView& view);
  bool drained(const StopView& view, StopWish& wish);
  bool hooked(const StopView& view, StopWish& wish);
  bool stopped(const StopView& view, StopWish& wish);
  bool flushed(const StopView& view);
  void enter(model::StopStep step, MonotonicTime now);
  void give_up(std::string sentence);
  bool late(MonotonicTime now) const { return now >= deadline(); }
  Milliseconds wanted(model::StopStep step) const;

  model::StopPolicy policy_;
  MonotonicTime kill_at_;
  StopProgress at_;
  bool released_ = false;
  bool killed_ = false;
};

// How long edges that have not confirmed are waited for before the door is closed to them: a
// refused connection is tried elsewhere by them, so nothing is lost by it.
inline constexpr Milliseconds kEdgePatience{2'000};

}  // namespace hive::decide::drain
