// The agent's end of the protocol with hive-init (protocol.h): who is PID 1 of a container, in
// which state, and the commands to it.
//
// Pids are as this process sees them (State.Pid of the engine). An Init holds a pidfd, so that what
// is said reaches that process or nobody, also when its pid is given out again. After open() ask
// the engine once more for the container's pid: if it is still the same, the Init is its.
// Needs root. Not thread-safe; copies of a result are.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "init/protocol.h"

namespace hive::init {

std::string_view to_string(State state);

// What runs as a container's PID 1.
struct Program {
  bool hive_init = false;
  std::uint32_t protocol = 0;  // of hive-init
  std::string name;            // "hive-init", "tini", or the name of its file, for people
};
// kNotFound when the process is gone, kPermissionDenied.
Result<Program> identify(pid_t pid);

class Init {
 public:
  // kNotFound: gone. kFailedPrecondition: something else runs there, and the message says what.
  // kUnsupported: a hive-init whose protocol this version does not speak; or no pidfds (Linux
  // before 5.3).
  static Result<Init> open(pid_t pid);
  Init(Init&& other) noexcept;
  Init& operator=(Init&& other) noexcept;
  Init(const Init&) = delete;
  Init& operator=(const Init&) = delete;
  ~Init();

  pid_t pid() const { return pid_; }
  std::uint32_t protocol() const { return protocol_; }

  // kNotFound: gone. kUnavailable: it has only just started; ask again. kUnsupported: a state that
  // this version does not know.
  Result<State> state() const;

  // The commands; protocol.h tells what each does. Ok means sent: state() tells whether it took
  // effect, and saying it again does no harm. kNotFound: gone. kUnavailable: its signal queue is
  // full. kInvalidArgument: see each.
  //
  // `stop_signal` is the container's own, 0 = SIGTERM. Refused: SIGKILL and SIGSTOP, which nobody
  // can hold, and the signals that PID 1 keeps to itself (see holdable()). `claim_timeout`: at most
  // 6553.5 s.
  Status arm(int stop_signal, Milliseconds claim_timeout = Milliseconds(8'000)) const;
  Status disarm() const;
  // Rounded up to seconds; from 1 s to 194 days.
  Status claim(Milliseconds deadline) const;
  // 0 = the signal that is held; otherwise 1 to 64.
  Status stop(int signal = 0) const;
  // The agent tells the application itself (stop_command).
  Status stop_without_signal() const;
  // Rounded up to 100 ms; from 0 to 19 days.
  Status release(Milliseconds grace) const;

 private:
  Init(pid_t pid, int pidfd, std::uint32_t protocol)
      : pid_(pid), pidfd_(pidfd), protocol_(protocol) {}
  Status alive() const;
  Status send(Command command, std::uint32_t argument) const;

  pid_t pid_ = 0;
  int pidfd_ = -1;
  std::uint32_t protocol_ = 0;
};

// Whether a container's stop signal can be held: hive-init collects every signal, as tini does, but
// SIGKILL and SIGSTOP, those of its own faults (ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS), TTIN and
// TTOU, CHLD, and the C library's 32 and 33.
bool holdable(int signal);

}  // namespace hive::init
