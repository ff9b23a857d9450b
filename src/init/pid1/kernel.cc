#include "init/pid1/kernel.h"

namespace hive::init::kernel {
namespace {

#if defined(__x86_64__)
enum Number : long {
  kWrite = 1,
  kSigaction = 13,
  kSigprocmask = 14,
  kIoctl = 16,
  kGetpid = 39,
  kClone = 56,
  kExecve = 59,
  kWait4 = 61,
  kKill = 62,
  kSetpgid = 109,
  kSigtimedwait = 128,
  kPrctl = 157,
  kClockGettime = 228,
  kExitGroup = 231
};

long call(Number number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum Number : long {
  kIoctl = 29,
  kWrite = 64,
  kExitGroup = 94,
  kClockGettime = 113,
  kKill = 129,
  kSigaction = 134,
  kSigprocmask = 135,
  kSigtimedwait = 137,
  kSetpgid = 154,
  kPrctl = 167,
  kGetpid = 172,
  kClone = 220,
  kExecve = 221,
  kWait4 = 260
};

long call(Number number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#else
#error "hive-init knows the system calls of x86_64 and aarch64"
#endif

template <typename T>
long at(T* pointer) {
  return static_cast<long>(reinterpret_cast<uintptr_t>(pointer));
}

struct Time {
  int64_t seconds, nanoseconds;
};

constexpr long kWnohang = 1;
constexpr long kSetMask = 2;
constexpr long kTiocspgrp = 0x5410;
constexpr long kPrSetPdeathsig = 1, kPrSetName = 15, kPrSetChildSubreaper = 36,
               kPrGetChildSubreaper = 37;
constexpr long kMonotonic = 1;

}  // namespace

void exit(int code) {
  for (;;) call(kExitGroup, code);
}
int getpid() { return static_cast<int>(call(kGetpid)); }
long write(int file, const char* bytes, size_t size) {
  return call(kWrite, file, at(bytes), static_cast<long>(size));
}
int fork() { return static_cast<int>(call(kClone, kSigChld)); }
long execve(const char* path, char* const* argv, char* const* environment) {
  return call(kExecve, at(path), at(argv), at(environment));
}
int kill(int pid, int signal) { return static_cast<int>(call(kKill, pid, signal)); }
int wait_any(int& status) { return static_cast<int>(call(kWait4, -1, at(&status), kWnohang)); }
int set_signal_mask(SignalSet set, SignalSet* old) {
  return static_cast<int>(call(kSigprocmask, kSetMask, at(&set), at(old), sizeof set));
}
int set_action(int signal, const SignalAction* action, SignalAction* old) {
  return static_cast<int>(call(kSigaction, signal, at(action), at(old), sizeof(SignalSet)));
}
int wait_signal(SignalSet set, SignalInfo& info, int64_t timeout_ms) {
  const Time time{timeout_ms / 1'000, timeout_ms % 1'000 * 1'000'000};
  const Time* const timeout = timeout_ms < 0 ? nullptr : &time;
  return static_cast<int>(call(kSigtimedwait, at(&set), at(&info), at(timeout), sizeof set));
}
int64_t monotonic_ms() {
  Time now{};
  call(kClockGettime, kMonotonic, at(&now));
  return now.seconds * 1'000 + now.nanoseconds / 1'000'000;
}
int set_name(const char* name) { return static_cast<int>(call(kPrctl, kPrSetName, at(name))); }
int set_parent_death_signal(int signal) {
  return static_cast<int>(call(kPrctl, kPrSetPdeathsig, signal));
}
int set_subreaper() { return static_cast<int>(call(kPrctl, kPrSetChildSubreaper, 1)); }
int is_subreaper() {
  int is = 0;
  return call(kPrctl, kPrGetChildSubreaper, at(&is)) == 0 ? is : 0;
}
int set_own_group() { return static_cast<int>(call(kSetpgid, 0, 0)); }
int take_terminal(int file) {
  const int group = getpid();  // of its own, see set_own_group()
  return static_cast<int>(call(kIoctl, file, kTiocspgrp, at(&group)));
}

}  // namespace hive::init::kernel

// Compilers call these of their own accord, in freestanding code too.
extern "C" {
void* memcpy(void* to, const void* from, size_t size);
void* memcpy(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  for (size_t i = 0; i < size; ++i) out[i] = in[i];
  return to;
}
void* memset(void* to, int value, size_t size);
void* memset(void* to, int value, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(value);
  return to;
}
}
