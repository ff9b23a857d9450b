#include "init/pid1/child.h"

#include "init/pid1/text.h"

namespace hive::init {
namespace {

constexpr size_t kMaxPath = 4'096;
constexpr const char kDefaultPath[] = "/bin:/usr/bin";  // execvp's

// Executes argv; a file that is neither program nor has #! is a shell script, as execvp has it.
// The word before argv[0] is free: at least init's own name stands there.
long execute(char* path, char** argv, char* const* environment) {
  const long error = kernel::execve(path, argv, environment);
  if (error != -kernel::kEnoexec) return error;
  static char shell[] = "/bin/sh";
  argv[-1] = shell;
  argv[0] = path;
  return kernel::execve(shell, argv - 1, environment);
}

// Whether the next directory of PATH may have it.
bool look_further(long error) {
  return error == -kernel::kEacces || error == -kernel::kEnoent || error == -kernel::kEnotdir ||
         error == -kernel::kEnodev || error == -kernel::kEstale || error == -kernel::kEtimedout;
}

bool has_slash(const char* text) {
  for (; *text != '\0'; ++text)
    if (*text == '/') return true;
  return false;
}

// As execvp(3). Returns only with an error.
long search_and_execute(char** argv, char* const* environment) {
  char* const name = argv[0];
  if (*name == '\0') return -kernel::kEnoent;
  if (has_slash(name)) return execute(name, argv, environment);
  const char* path = variable(environment, "PATH");
  if (path == nullptr) path = kDefaultPath;
  const size_t name_size = length(name);
  bool denied = false;
  long error = -kernel::kEnoent;
  for (;;) {
    size_t size = 0;
    while (path[size] != '\0' && path[size] != ':') ++size;
    char full[kMaxPath];
    if (size + name_size + 2 <= sizeof full) {  // a longer one cannot be opened
      for (size_t i = 0; i < size; ++i) full[i] = path[i];
      size_t at = size;
      if (size > 0) full[at++] = '/';  // an empty part is the working directory
      for (size_t i = 0; i <= name_size; ++i) full[at + i] = name[i];
      error = execute(full, argv, environment);
      if (!look_further(error)) return error;
      denied = denied || error == -kernel::kEacces;
    }
    if (path[size] == '\0') break;
    path += size + 1;
  }
  return denied ? -kernel::kEacces : error;
}

[[noreturn]] void die(const char* what, long error) {
  (Message(kFatal) << what << " failed: ").error(static_cast<int>(-error)).send();
  kernel::exit(1);
}

[[noreturn]] void run_child(const Options& options, const Inherited& inherited) {
  if (const int error = kernel::set_own_group(); error < 0) die("setpgid", error);
  // In the child, so that an init below an init does not lose the terminal to a race. Init's own
  // TTOU is ignored at this point, or this would stop the child.
  const int error = kernel::take_terminal(0);
  if (error < 0 && error != -kernel::kEnotty && error != -kernel::kEnxio) die("tcsetpgrp", error);
  kernel::set_action(kernel::kSigTtin, &inherited.ttin, nullptr);
  kernel::set_action(kernel::kSigTtou, &inherited.ttou, nullptr);
  kernel::set_signal_mask(inherited.mask, nullptr);
  const char* const name = options.command[0];
  const long failed = search_and_execute(options.command, options.environment);
  (Message(kFatal) << "exec " << name << " failed: ").error(static_cast<int>(-failed)).send();
  kernel::exit(failed == -kernel::kEnoent ? 127 : failed == -kernel::kEacces ? 126 : 1);
}

}  // namespace

int spawn(const Options& options, const Inherited& inherited) {
  const int pid = kernel::fork();
  if (pid == 0) run_child(options, inherited);
  return pid;
}

}  // namespace hive::init
