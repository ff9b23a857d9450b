// What the agent and hive-init, PID 1 of a container, say to each other. Constants only: hive-init
// has no C++ runtime. docs/stop-sequence.md tells what each command does in which state.
//
// Agent to init: one real-time signal with a 64-bit value (rt_sigqueueinfo(2)):
//   bits 63..32 kMagic, 31..24 the command, 23..0 its argument.
// It counts only with si_code SI_QUEUE and si_pid 0, which is what the kernel writes for a sender
// outside the container's pid namespace. That keeps accidents out, not the application: one that
// may signal PID 1 can forge the sender's pid. It gains nothing by it: a container that stays until
// Docker kills it, or ends at once, it can have without.
//
// Init to agent: its comm (/proc/PID/comm), kCommPrefix and the name of its state. No file and no
// socket, so read-only roots, any user and a restarted agent make no difference.
//
// Its identity: an ELF note in /proc/PID/exe. Docker mounts every init at /sbin/docker-init, so
// neither name nor path tells hive-init from tini; and a command sent to tini would be passed on
// to the application, which a real-time signal ends.
#pragma once

#include <stdint.h>

namespace hive::init {

// Raised when a command or a state changes its meaning. Inits live as long as their containers, so
// an agent speaks all versions from kOldestProtocol to kProtocol. An init ignores a command that it
// does not know.
inline constexpr uint32_t kProtocol = 1;
inline constexpr uint32_t kOldestProtocol = 1;

inline constexpr char kNoteName[] = "hive-init";
inline constexpr uint32_t kNoteType = 1;  // descriptor: the protocol version, 32 bits

// SIGRTMAX. systemd uses those below it, glibc the first two.
inline constexpr int kCommandSignal = 64;
inline constexpr uint64_t kMagic = 0x48495645;  // "HIVE"

enum class Command : uint8_t {
  // From now on the stop signal is held. Argument: see arm_argument(). Again: other parameters.
  kArm = 1,
  // As if never armed. A signal that is held is passed on.
  kDisarm = 2,
  // The hold is the agent's. Argument: deadline in seconds from now, after which init goes on by
  // itself: passes the held signal on, or ends, if the application has. Again: another deadline.
  kClaim = 3,
  // Tell the application, and keep the container after its end. Argument: the signal, or kStopHeld,
  // or kStopNothing. Again: another signal, such as SIGKILL.
  kStop = 4,
  // End the container: what still runs gets the stop signal, and SIGKILL after the grace; then exit
  // with the application's code. Argument: grace in units of 100 ms.
  kRelease = 5
};

inline constexpr uint32_t kStopHeld = 0;       // the signal that is held
inline constexpr uint32_t kStopNothing = 255;  // the agent tells the application itself

inline constexpr uint32_t kArgumentMax = 0xffffff;
inline constexpr uint32_t kClaimTimeoutMax = 0xffff;  // in 100 ms
inline constexpr uint32_t kDefaultClaimTimeout = 80;  // in 100 ms; what 0 stands for

constexpr uint64_t command_value(Command command, uint32_t argument) {
  return kMagic << 32 | uint64_t{static_cast<uint8_t>(command)} << 24 | (argument & kArgumentMax);
}
// The container's stop signal (its Config.StopSignal), 0 = SIGTERM; and how long an unclaimed
// signal is held, in 100 ms.
constexpr uint32_t arm_argument(uint32_t stop_signal, uint32_t claim_timeout) {
  return (stop_signal & 0xff) << 16 | (claim_timeout & 0xffff);
}

// The states, as in comm: "hi1:armed".
inline constexpr char kCommPrefix[] = "hi1:";
enum class State : uint8_t {
  kIdle,      // as tini: everything is passed on at once
  kArmed,     // the next stop signal will be held
  kHeld,      // a stop signal is held and waits for a claim; the application serves on, unaware
  kClaimed,   // it is held for the agent
  kStopping,  // the application was told to stop, by signal or by the agent
  kFlushing   // it has ended; the container is kept
};
inline constexpr const char* kStateNames[] = {"idle",    "armed",    "held",
                                              "claimed", "stopping", "flushing"};

}  // namespace hive::init
