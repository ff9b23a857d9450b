// The application that the tests of inits run: says how it was started, reports every signal, and
// does as it is told, over the socket on descriptor 3, one line each.
//
//   says:  ready ppid=P pgid=P sid=P foreground=P blocked=HEX ignored=HEX
//          signal N           and "companion signal N" of its companion
//   told:  exit N | die N     ends, by exit code or by signal
//          kill P N           sends a signal; "killed ERRNO"
//          queue HEX          the value to PID 1 with the command signal; "queued ERRNO"
//          orphan             a grandchild that nobody waits for: "orphan P", runs until signalled
//          zombie             a grandchild that has ended at once: "zombie P"
//          companion          a second process as this one, in its process group: "companion P"
//          companion-deaf     the same, and it does not end on SIGTERM
//          heir               a process that takes the probe's pid when it has ended, says
//                             "heir P", and exits with 77 as a child of PID 1
//          pause              stops itself (SIGSTOP), then says "resumed"
//          id                 "id UID GID"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "init/protocol.h"

namespace {

constexpr int kControl = 3;

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(kControl, text.data(), text.size()) < 0) ::_exit(99);
}

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
  return text;
}

std::uint64_t blocked() {
  std::uint64_t mask = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, sizeof mask);
  return mask;
}

std::uint64_t ignored() {
  std::uint64_t set = 0;
  for (int signal = 1; signal <= 64; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      set |= std::uint64_t{1} << (signal - 1);
  }
  return set;
}

int collect_signals() {
  sigset_t all;
  ::sigfillset(&all);
  // Its own faults and the terminal's stops as they come: the tests ask whether they do.
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::signal(SIGTTOU, SIG_DFL);
  return ::signalfd(-1, &all, SFD_CLOEXEC);
}

pid_t orphan(bool ends) {
  int pipe[2];
  if (::pipe(pipe) != 0) ::_exit(99);
  const pid_t middle = ::fork();
  if (middle == 0) {
    const pid_t child = ::fork();
    if (child != 0) {
      ::_exit(::write(pipe[1], &child, sizeof child) == sizeof child ? 0 : 99);
    }
    ::close(kControl);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (!ends) ::pause();
    ::_exit(7);
  }
  pid_t out = 0;
  if (::read(pipe[0], &out, sizeof out) != sizeof out) ::_exit(99);
  ::waitpid(middle, nullptr, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
  return out;
}

void companion(int signals, bool deaf) {
  const pid_t child = ::fork();
  if (child != 0) {
    say("companion " + std::to_string(child));
    return;
  }
  signalfd_siginfo info;
  while (::read(signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) continue;
    say("companion signal " + std::to_string(info.ssi_signo));
    if (info.ssi_signo == SIGTERM && !deaf) ::_exit(0);
  }
  ::_exit(99);
}

void heir() {
  const pid_t wanted = ::getpid();
  if (const pid_t child = ::fork(); child != 0) {
    say("heir " + std::to_string(child));
    return;
  }
  ::setpgid(0, 0);  // a group's number is not given out again while it has members
  for (int tries = 0; tries < 1'000'000; ++tries) {
    if (::kill(wanted, 0) == 0) continue;
    const int file = ::open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    const std::string last = std::to_string(wanted - 1);
    if (file < 0 || ::write(file, last.data(), last.size()) < 0) break;
    ::close(file);
    if (::fork() != 0) ::_exit(0);
    while (::getppid() != 1) {
    }
    say("heir " + std::to_string(::getpid()));
    ::_exit(77);
  }
  ::_exit(99);
}

void die(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::_exit(99);
}

// As if it came from outside: the kernel leaves the pid of SI_QUEUE as the sender has it.
int queue_to_init(std::uint64_t value) {
  siginfo_t info{};
  info.si_signo = hive::init::kCommandSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  std::memcpy(&info.si_value, &value, sizeof value);
  return ::syscall(SYS_rt_sigqueueinfo, 1, info.si_signo, &info) == 0 ? 0 : errno;
}

void obey(const std::string& line, int signals) {
  char verb[32] = "";
  unsigned long long first = 0;
  int second = 0;
  const bool has_hex = line.starts_with("queue");
  std::sscanf(line.c_str(), has_hex ? "%31s %llx %d" : "%31s %llu %d", verb, &first, &second);
  const std::string word = verb;
  const auto number = static_cast<int>(first);
  if (word == "exit") ::_exit(number);
  if (word == "die") die(number);
  if (word == "kill")
    say("killed " + std::to_string(::kill(number, second) == 0 ? 0 : errno));
  else if (word == "queue")
    say("queued " + std::to_string(queue_to_init(first)));
  else if (word == "orphan" || word == "zombie")
    say(word + " " + std::to_string(orphan(word == "zombie")));
  else if (word == "companion" || word == "companion-deaf")
    companion(signals, word == "companion-deaf");
  else if (word == "heir")
    heir();
  else if (word == "id")
    say("id " + std::to_string(::getuid()) + " " + std::to_string(::getgid()));
  else if (word == "pause") {
    ::raise(SIGSTOP);
    say("resumed");
  } else
    say("what is " + line);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = "blocked=" + hex(blocked()) + " ignored=" + hex(ignored());
  const int signals = collect_signals();
  std::string args;
  for (int i = 1; i < argc; ++i) args += std::string(" ") + argv[i];
  const char* const set = std::getenv("PROBE");
  say("ready ppid=" + std::to_string(::getppid()) +
      " own_group=" + std::to_string(::getpgrp() == ::getpid()) +
      " own_session=" + std::to_string(::getsid(0) == ::getpid()) +
      " foreground=" + std::to_string(::tcgetpgrp(0) == ::getpgrp()) + " " + how +
      " env=" + (set == nullptr ? "" : set) + " args=" + args);
  std::string pending;
  for (;;) {
    pollfd fds[2] = {{.fd = signals, .events = POLLIN, .revents = 0},
                     {.fd = kControl, .events = POLLIN, .revents = 0}};
    if (::poll(fds, 2, -1) < 0) return 99;
    if (fds[0].revents != 0) {
      signalfd_siginfo info;
      if (::read(signals, &info, sizeof info) != sizeof info) return 99;
      const bool of_a_child = info.ssi_signo == SIGCHLD && info.ssi_code > 0;
      if (!of_a_child) say("signal " + std::to_string(info.ssi_signo));
    }
    if (fds[1].revents == 0) continue;
    char buffer[512];
    const ssize_t got = ::read(kControl, buffer, sizeof buffer);
    if (got <= 0) return 98;
    pending.append(buffer, static_cast<std::size_t>(got));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      obey(pending.substr(0, end), signals);
      pending.erase(0, end + 1);
    }
  }
}
