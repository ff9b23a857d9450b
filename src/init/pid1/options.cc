#include "init/pid1/options.h"

#include "init/pid1/kernel.h"
#include "init/pid1/text.h"

namespace hive::init {
namespace {

constexpr const char kVersionLine[] = "hive-init " HIVE_VERSION " - git.hive-init-1\n";
constexpr const char kUsage[] =
    "Usage: hive-init [OPTIONS] [--] PROGRAM [ARGS] | --version\n"
    "\n"
    "PID 1 of a container: runs PROGRAM, passes signals on to it, reaps processes, and exits with\n"
    "its code. hive's agent can have the stop signal held; otherwise it does what tini does.\n"
    "\n"
    "  --version      Show the version and exit.\n"
    "  -h             Show this help and exit.\n"
    "  -s             Register as a process subreaper.\n"
    "  -p SIGNAL      Get SIGNAL when the parent dies, such as -p SIGKILL.\n"
    "  -v             Say more; up to 2 times.\n"
    "  -w             Say so when a process is reaped.\n"
    "  -g             Send signals to the program's process group.\n"
    "  -e EXIT_CODE   Turn this exit code (0 to 255) into 0; may be repeated.\n"
    "\n"
    "Environment: TINI_SUBREAPER (-s), TINI_KILL_PROCESS_GROUP (-g), TINI_VERBOSITY (0 to 3; 1).\n";

// In the order of their numbers, which x86_64 and aarch64 share; 16 has none.
constexpr const char* kSignals[] = {
    "HUP",  "INT",  "QUIT", "ILL",    "TRAP", "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM",   "",     "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG",  "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS"};

int signal_of(const char* text) {
  if (!starts_with(text, "SIG") || text[3] == '\0') return 0;
  int number = 0;
  for (const char* name : kSignals) {
    ++number;
    if (equal(text + 3, name)) return number;
  }
  return 0;
}

// -1 when it is not a number from 0 to `most`.
int number_of(const char* text, int most) {
  int number = 0;
  if (*text == '\0') return -1;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9') return -1;
    number = number * 10 + (*text - '0');
    if (number > most) return -1;
  }
  return number;
}

void print(int file, const char* text) { kernel::write(file, text, length(text)); }

int refuse(char option, const char* value) {
  const char name[] = {'-', option, '\0'};
  (Message(kFatal) << "Not a valid option for " << name << ": " << value).send();
  return 1;
}

int with_value(char option, const char* value, Options& out) {
  if (option == 'p') {
    out.parent_death_signal = signal_of(value);
    return out.parent_death_signal == 0 ? refuse(option, value) : -1;
  }
  const int code = number_of(value, 255);
  if (code < 0) return refuse(option, value);
  out.zero_codes[code / 64] |= uint64_t{1} << (code % 64);
  return -1;
}

int plain(char option, Options& out) {
  switch (option) {
    case 's':
      out.subreaper = true;
      return -1;
    case 'g':
      out.whole_group = true;
      return -1;
    case 'w':
      out.warn_on_reap = true;
      return -1;
    case 'v':
      ++out.verbosity;
      return -1;
    case 'h':
      print(1, kUsage);
      return 0;
    default:
      break;
  }
  print(2, kUsage);
  return 1;
}

// One word of options, such as -sg or -pSIGTERM; `at` moves on when the value is a word of its own.
int parse_word(int argc, char** argv, int& at, Options& out) {
  for (const char* option = argv[at] + 1; *option != '\0'; ++option) {
    if (*option != 'p' && *option != 'e') {
      if (const int code = plain(*option, out); code >= 0) return code;
      continue;
    }
    if (option[1] != '\0') return with_value(*option, option + 1, out);
    if (at + 1 >= argc) return plain('?', out);
    return with_value(*option, argv[++at], out);
  }
  return -1;
}

void read_environment(Options& out) {
  if (variable(out.environment, "TINI_SUBREAPER") != nullptr) out.subreaper = true;
  if (variable(out.environment, "TINI_KILL_PROCESS_GROUP") != nullptr) out.whole_group = true;
  if (const char* verbosity = variable(out.environment, "TINI_VERBOSITY")) {
    const int number = number_of(verbosity, 9);
    out.verbosity = number < 0 ? 0 : number;  // atoi's 0, as tini has it
  }
}

}  // namespace

int parse_options(int argc, char** argv, char* const* environment, Options& out) {
  out.environment = environment;
  if (argc == 2 && equal(argv[1], "--version")) {
    print(1, kVersionLine);
    return 0;
  }
  int at = 1;
  for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; ++at) {
    if (equal(argv[at], "--")) {
      ++at;
      break;
    }
    if (const int code = parse_word(argc, argv, at, out); code >= 0) return code;
  }
  if (at >= argc) {
    print(2, kUsage);
    return 1;
  }
  out.command = argv + at;
  read_environment(out);
  return -1;
}

}  // namespace hive::init
