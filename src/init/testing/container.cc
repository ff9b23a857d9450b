#include "init/testing/container.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "init/protocol.h"

namespace hive::init::testing {
namespace {

constexpr int kPatienceMs = 20'000;  // never reached unless something hangs

[[noreturn]] void broken(const char* what) {
  std::perror(what);
  std::abort();
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// As fork(), into a new pid namespace when asked to.
pid_t fork_into(bool new_namespace) {
  if (!new_namespace) return ::fork();
  return static_cast<pid_t>(
      ::syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

struct Ends {
  int control[2], out[2], err[2];
  int terminal = -1, slave = -1;
};

Ends make_ends(bool terminal) {
  Ends ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.control) != 0 ||
      ::pipe2(ends.out, O_CLOEXEC) != 0 || ::pipe2(ends.err, O_CLOEXEC) != 0)
    broken("pipes");
  if (terminal) {
    ends.terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends.terminal < 0 || ::grantpt(ends.terminal) != 0 || ::unlockpt(ends.terminal) != 0)
      broken("terminal");
    ends.slave = ::open(::ptsname(ends.terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends.slave < 0) broken("terminal");
  }
  return ends;
}

void set_signals(const Start& start) {
  for (int signal = 1; signal <= 64; ++signal) ::signal(signal, SIG_DFL);
  for (const int signal : start.ignored) ::signal(signal, SIG_IGN);
  const std::uint64_t mask = start.blocked;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

[[noreturn]] void become_init(const Start& start, const Ends& ends) {
  std::vector<std::string> words{start.init};
  words.insert(words.end(), start.options.begin(), start.options.end());
  if (!start.options_only) {
    words.emplace_back("--");
    const std::vector<std::string> probe{HIVE_PROBE};
    const auto& program = start.program.empty() ? probe : start.program;
    words.insert(words.end(), program.begin(), program.end());
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left when a test crashes
  if (::chdir(start.directory.c_str()) != 0) ::_exit(97);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (ends.slave >= 0 && (::setsid() < 0 || ::ioctl(ends.slave, TIOCSCTTY, 0) != 0)) ::_exit(97);
  if (::dup2(ends.slave >= 0 ? ends.slave : null, 0) < 0 || ::dup2(ends.out[1], 1) < 0 ||
      ::dup2(ends.err[1], 2) < 0 || ::dup2(ends.control[1], 3) < 0)
    ::_exit(97);
  if (ends.control[1] == 3) ::fcntl(3, F_SETFD, 0);
  if (start.user != 0 &&
      (::setgroups(0, nullptr) != 0 || ::setgid(start.user) != 0 || ::setuid(start.user) != 0))
    ::_exit(97);
  set_signals(start);
  const auto argv = pointers(words);
  const auto environment = pointers(start.environment);
  ::execve(start.init.c_str(), argv.data(), environment.data());
  ::_exit(97);
}

// The init and the probe where another user can reach them: the build may be below /root.
std::string make_copies(Start& start) {
  std::string folder = "/tmp/hive-init-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr || ::chmod(folder.c_str(), 0755) != 0) broken("copies");
  const auto copy = [&](const std::string& path) {
    const auto to = std::filesystem::path(folder) / std::filesystem::path(path).filename();
    std::filesystem::copy_file(path, to);
    return to.string();
  };
  start.init = copy(start.init);
  if (start.program.empty()) start.program = {copy(HIVE_PROBE)};
  return folder;
}

std::string drain(int fd) {
  std::string out;
  char buffer[4'096];
  for (;;) {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, kPatienceMs) <= 0) return out;
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

Container::Container(Start start) {
  if (start.user != 0) copies_ = make_copies(start);
  const Ends ends = make_ends(start.terminal);
  int told[2] = {-1, -1};
  if (start.parent_ends) {
    // Whoever loses its parent becomes a child of the test.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (::pipe2(told, O_CLOEXEC) != 0) broken("pipe");
    parent_ = ::fork();
    if (parent_ == 0) {
      const pid_t child = fork_into(start.own_namespace);
      if (child == 0) become_init(start, ends);
      if (::write(told[1], &child, sizeof child) != sizeof child) ::_exit(97);
      // The socket is the init's alone, so that its end is seen.
      ::close(ends.control[0]);
      ::close(ends.control[1]);
      for (;;) ::pause();
    }
    if (::read(told[0], &pid_, sizeof pid_) != sizeof pid_) broken("parent");
  } else {
    pid_ = fork_into(start.own_namespace);
    if (pid_ == 0) become_init(start, ends);
  }
  if (pid_ < 0) broken("a new pid namespace (needs root)");
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) broken("pidfd");
  control_ = ends.control[0];
  out_ = ends.out[0];
  err_ = ends.err[0];
  terminal_ = ends.terminal;
  for (const int fd : {ends.control[1], ends.out[1], ends.err[1], ends.slave, told[0], told[1]})
    if (fd >= 0) ::close(fd);
}

Container::~Container() {
  end_parent();
  if (!reaped_) {
    ::syscall(SYS_pidfd_send_signal, pidfd_, SIGKILL, nullptr, 0);
    // Before the wait: PID 1 is not gone before everybody in its namespace is.
    reap_entered();
    ::waitpid(pid_, nullptr, 0);
  }
  reap_entered();
  for (const int fd : {pidfd_, control_, out_, err_, terminal_})
    if (fd >= 0) ::close(fd);
  std::error_code ignored;
  if (!copies_.empty()) std::filesystem::remove_all(copies_, ignored);
}

void Container::end_parent() {
  if (parent_ <= 0) return;
  ::kill(parent_, SIGKILL);
  ::waitpid(parent_, nullptr, 0);
  parent_ = -1;
}

void Container::kill(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0) != 0) broken("kill");
}

void Container::queue(std::uint64_t value) const {
  siginfo_t info{};
  info.si_signo = kCommandSignal;
  info.si_code = SI_QUEUE;
  std::memcpy(&info.si_value, &value, sizeof value);
  if (::syscall(SYS_pidfd_send_signal, pidfd_, kCommandSignal, &info, 0) != 0) broken("queue");
}

void Container::enter() {
  int life[2], reap[2];  // open while it lives; closed when it may be reaped
  if (::pipe2(life, O_CLOEXEC) != 0 || ::pipe2(reap, O_CLOEXEC) != 0) broken("pipe");
  entered_ = ::fork();
  if (entered_ == 0) {
    if (::syscall(SYS_setns, pidfd_, CLONE_NEWPID) != 0) ::_exit(97);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(control_);
      if (::write(life[1], "x", 1) != 1) ::_exit(97);
      for (;;) ::pause();
    }
    ::close(life[1]);
    ::close(reap[1]);
    char none = 0;
    if (::read(reap[0], &none, 1) != 0) ::_exit(97);
    ::waitpid(child, nullptr, 0);
    ::_exit(0);
  }
  ::close(life[1]);
  ::close(reap[0]);
  char up = 0;
  if (::read(life[0], &up, 1) != 1) broken("entering");
  entered_end_ = life[0];
  reap_ = reap[1];
}

void Container::reap_entered() {
  if (entered_ <= 0) return;
  drain(entered_end_);
  ::close(entered_end_);
  ::close(reap_);
  ::waitpid(entered_, nullptr, 0);
  entered_ = -1;
}

char Container::state_of_child() const {
  const std::string self = std::to_string(pid_);
  std::ifstream children("/proc/" + self + "/task/" + self + "/children");
  std::string child;
  if (!(children >> child)) return 0;
  std::ifstream stat("/proc/" + child + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto name_end = line.rfind(") ");
  return name_end == std::string::npos ? '\0' : line[name_end + 2];
}

void Container::tell(const std::string& line) {
  const std::string text = line + "\n";
  if (::send(control_, text.data(), text.size(), MSG_NOSIGNAL) < 0) broken("tell");
}

std::string Container::hear() {
  for (;;) {
    if (const auto end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    pollfd one{.fd = control_, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, kPatienceMs) <= 0) return "(nothing heard)";
    char buffer[4'096];
    const ssize_t got = ::recv(control_, buffer, sizeof buffer, 0);
    if (got <= 0) return "";
    pending_.append(buffer, static_cast<std::size_t>(got));
  }
}

std::string Container::ask(const std::string& line) {
  tell(line);
  return hear();
}

bool Container::ended() {
  pollfd one{.fd = pidfd_, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 0) > 0;
}

int Container::wait() {
  pollfd one{.fd = pidfd_, .events = POLLIN, .revents = 0};
  if (::poll(&one, 1, kPatienceMs) <= 0) return -1;
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) broken("waitpid");
  reaped_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Container::output() { return drain(out_); }
std::string Container::errors() { return drain(err_); }

Memory memory_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  Memory out;
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string name;
    long number = 0;
    words >> name >> number;
    if (name == "Rss:") out.rss = number;
    if (name == "Pss:") out.pss = number;
    if (name == "Private_Dirty:") out.private_dirty = number;
  }
  return out;
}

}  // namespace hive::init::testing
