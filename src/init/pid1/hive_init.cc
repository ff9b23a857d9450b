// hive-init: PID 1 of every container that hive deploys (dockerd's init-path, Init: true). An init
// as tini, whose options, messages and exit codes it has, and the hold of the stop signal for
// hive's agent (protocol.h, hold.h). Nothing is allocated, no file is opened; it sleeps until a
// signal comes, or a deadline of the hold.
#include "init/pid1/child.h"
#include "init/pid1/hold.h"
#include "init/pid1/kernel.h"
#include "init/pid1/options.h"
#include "init/pid1/text.h"
#include "init/protocol.h"

// The note by which agents know it (client.h).
static_assert(sizeof hive::init::kNoteName == 10 && hive::init::kNoteType == 1 &&
              hive::init::kProtocol == 1);
asm(".pushsection .note.hive-init, \"a\", %note\n"
    ".balign 4\n"
    ".long 10, 4, 1\n"
    ".asciz \"hive-init\"\n"
    ".balign 4\n"
    ".long 1\n"
    ".popsection\n");

namespace hive::init {
namespace {

using namespace kernel;

// How often processes that are not init's children are looked for, at the very end only: of those
// no SIGCHLD tells.
constexpr int64_t kLookMs = 20;

// As tini: its own faults, and the terminal's stops, which are ignored instead. 32 and 33 belong to
// the C library, which leaves them out of every set; left out here so that the two inits agree.
constexpr SignalSet kCollected =
    ~(bit(kSigFpe) | bit(kSigIll) | bit(kSigSegv) | bit(kSigBus) | bit(kSigAbrt) | bit(kSigTrap) |
      bit(kSigSys) | bit(kSigTtin) | bit(kSigTtou) | bit(32) | bit(33));

class Init {
 public:
  explicit Init(const Options& options) : options_(options), is_pid_1_(getpid() == 1) {}

  int run();

 private:
  void prepare();
  int64_t timeout() const;
  void take(const SignalInfo& info);
  void act(Act act);
  void reap();
  void end_of_application(int status);
  void pass(int signal);
  void show_state();
  bool says(Level level) const { return options_.verbosity >= level; }

  const Options& options_;
  const bool is_pid_1_;
  Inherited inherited_;
  Hold hold_;
  State shown_ = State::kFlushing;  // none yet
  int child_ = 0;                   // 0 once it was reaped: its pid may be given out again
  int code_ = 0;
  bool exit_ = false;
};

void Init::prepare() {
  set_signal_mask(kCollected, &inherited_.mask);
  const SignalAction ignore{.handler = kIgnore, .flags = 0, .restorer = 0, .mask = 0};
  set_action(kSigTtin, &ignore, &inherited_.ttin);
  set_action(kSigTtou, &ignore, &inherited_.ttou);
  if (options_.parent_death_signal != 0) set_parent_death_signal(options_.parent_death_signal);
  if (options_.subreaper) set_subreaper();
  if (!is_pid_1_ && is_subreaper() != 1 && says(kWarning))
    (Message(kWarning) << "not PID 1 and no subreaper: processes that lose their parent are not "
                          "reaped here. Use -s, set TINI_SUBREAPER, or run it as PID 1.")
        .send();
}

int Init::run() {
  prepare();
  show_state();
  child_ = spawn(options_, inherited_);
  if (child_ < 0) {
    (Message(kFatal) << "fork failed: ").error(-child_).send();
    return 1;
  }
  if (says(kInfo))
    (Message(kInfo) << "Spawned child process '" << options_.command[0] << "' with pid '" << child_
                    << "'")
        .send();
  while (!exit_) {
    SignalInfo info;
    const int signal = wait_signal(kCollected, info, timeout());
    // First: an application that had ended before a stop signal came was not stopped by it.
    reap();
    if (!exit_ && signal > 0 && signal != kSigChld) take(info);
    if (!exit_) act(hold_.on_time(monotonic_ms()));
    show_state();
    if (hold_.awaits_the_rest() && kill(-1, 0) == -kEsrch) break;
  }
  return code_;
}

int64_t Init::timeout() const {
  const int64_t deadline = hold_.deadline();
  if (deadline == Hold::kNever) return -1;
  const int64_t left = deadline - monotonic_ms();
  if (left <= 0) return 0;
  return hold_.awaits_the_rest() && left > kLookMs ? kLookMs : left;
}

// Only PID 1 holds: only then is a sender of pid 0 outside the container, and kill(-1) inside it.
void Init::take(const SignalInfo& info) {
  const bool outside = is_pid_1_ && info.code <= 0 && info.pid == 0;
  if (outside && info.signal == kCommandSignal && info.code == kSiQueue &&
      info.value >> 32 == kMagic) {
    if (says(kDebug))
      (Message(kDebug) << "Command " << static_cast<int>(info.value >> 24 & 0xff)).send();
    act(hold_.on_command(info.value, monotonic_ms()));
    return;
  }
  act(hold_.on_signal(info.signal, outside, monotonic_ms()));
}

void Init::act(Act act) {
  switch (act.kind) {
    case Act::kNothing:
      return;
    case Act::kApplication:
      return pass(act.signal);
    case Act::kEverybody:
      kill(-1, act.signal);
      return;
    case Act::kExit:
      exit_ = true;
      return;
  }
}

// tini ends, and all with it, when a program of another user may not be signalled. That would turn
// a stop into a loss: said, and gone on.
void Init::pass(int signal) {
  if (child_ == 0) return;
  if (says(kDebug)) (Message(kDebug) << "Passing signal: " << signal).send();
  const int result = kill(options_.whole_group ? -child_ : child_, signal);
  if (result == -kEsrch && says(kWarning))
    (Message(kWarning) << "Child was dead when forwarding signal").send();
  else if (result < 0 && says(kWarning))
    (Message(kWarning) << "forwarding signal " << signal << " failed: ").error(-result).send();
}

void Init::reap() {
  for (;;) {
    int status = 0;
    const int pid = wait_any(status);
    if (pid <= 0) return;
    if (pid == child_)
      end_of_application(status);
    else if (options_.warn_on_reap && says(kWarning))
      (Message(kWarning) << "Reaped zombie process with pid=" << pid).send();
  }
}

void Init::end_of_application(int status) {
  const int signal = status & 0x7f;
  code_ = signal == 0 ? status >> 8 & 0xff : 128 + signal;
  if (says(kInfo))
    (Message(kInfo) << "Main child exited "
                    << (signal == 0 ? "normally (with status '" : "with signal ('")
                    << (signal == 0 ? code_ : signal) << "')")
        .send();
  if ((options_.zero_codes[code_ / 64] >> (code_ % 64) & 1) != 0) code_ = 0;
  child_ = 0;
  act(hold_.on_application_end());
}

void Init::show_state() {
  const State state = hold_.state();
  if (state == shown_) return;
  shown_ = state;
  char comm[16];
  size_t size = 0;
  const char* const parts[] = {kCommPrefix, kStateNames[static_cast<int>(state)]};
  for (const char* text : parts)
    for (; *text != '\0'; ++text) comm[size++] = *text;
  comm[size] = '\0';
  set_name(comm);
}

}  // namespace

// `stack` is as the kernel sets it up: argc, argv, null, environment, null.
extern "C" [[noreturn, gnu::used]] void hive_init_main(long* stack);
extern "C" void hive_init_main(long* stack) {
  const int argc = static_cast<int>(*stack);
  char** const argv = reinterpret_cast<char**>(stack + 1);
  Options options;
  int code = parse_options(argc, argv, argv + argc + 1, options);
  if (code < 0) code = Init(options).run();
  kernel::exit(code);
}

}  // namespace hive::init

#if defined(__x86_64__)
asm(".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call hive_init_main\n");
#elif defined(__aarch64__)
asm(".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl hive_init_main\n");
#endif
