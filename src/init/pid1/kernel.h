// The system calls that hive-init needs, bare: it has neither C library nor C++ runtime, which is
// what keeps it at a few KiB. x86_64 and aarch64. Results as the kernel gives them: negative =
// -errno.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hive::init::kernel {

inline constexpr int kEperm = 1, kEnoent = 2, kEsrch = 3, kEintr = 4, kEnxio = 6, kE2big = 7,
                     kEnoexec = 8, kEchild = 10, kEagain = 11, kEnomem = 12, kEacces = 13,
                     kEnodev = 19, kEnotdir = 20, kEisdir = 21, kEinval = 22, kEnotty = 25,
                     kEtxtbsy = 26, kEnametoolong = 36, kEloop = 40, kEtimedout = 110,
                     kEstale = 116;

inline constexpr int kSigIll = 4, kSigTrap = 5, kSigAbrt = 6, kSigBus = 7, kSigFpe = 8,
                     kSigKill = 9, kSigSegv = 11, kSigTerm = 15, kSigChld = 17, kSigTtin = 21,
                     kSigTtou = 22, kSigSys = 31;

using SignalSet = uint64_t;  // bit N-1 = signal N
constexpr SignalSet bit(int signal) { return SignalSet{1} << (signal - 1); }

inline constexpr int kSiQueue = -1;
struct SignalInfo {
  int32_t signal, error, code, pad;
  int32_t pid;
  uint32_t uid;
  uint64_t value;  // of SI_QUEUE
  uint8_t rest[96];
};
static_assert(sizeof(SignalInfo) == 128);

struct SignalAction {
  uintptr_t handler;
  uint64_t flags;
  uintptr_t restorer;
  SignalSet mask;
};
inline constexpr uintptr_t kIgnore = 1;  // SIG_IGN

[[noreturn]] void exit(int code);
int getpid();
long write(int file, const char* bytes, size_t size);
int fork();
long execve(const char* path, char* const* argv, char* const* environment);
int kill(int pid, int signal);
// Returns the pid, 0 = none has ended, -ECHILD.
int wait_any(int& status);
int set_signal_mask(SignalSet set, SignalSet* old);
int set_action(int signal, const SignalAction* action, SignalAction* old);
// Returns the signal's number, -EAGAIN at the timeout, -EINTR. No timeout: timeout_ms < 0.
int wait_signal(SignalSet set, SignalInfo& info, int64_t timeout_ms);
int64_t monotonic_ms();
int set_name(const char* name);
int set_parent_death_signal(int signal);
int set_subreaper();
// 1 when it is one.
int is_subreaper();
// A new process group of its own, and the foreground of the terminal on descriptor 0.
int set_own_group();
int take_terminal(int file);

}  // namespace hive::init::kernel
