#include "os/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "os/file.h"

extern char** environ;

namespace hive::os {
namespace {

// argv or envp for exec: the strings stay owned by the vector that was given.
std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (auto& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> merged_environment(const std::vector<std::string>& added) {
  std::vector<std::string> out = added;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const auto name = entry.substr(0, entry.find('=') + 1);
    bool replaced = false;
    for (const auto& a : added) replaced = replaced || a.starts_with(name);
    if (!replaced) out.emplace_back(entry);
  }
  return out;
}

class Pipe {
 public:
  Pipe() {
    if (::pipe2(fds_.data(), O_CLOEXEC) != 0) fds_ = {-1, -1};
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool ok() const { return fds_[0] >= 0; }
  int read_end() const { return fds_[0]; }
  int write_end() const { return fds_[1]; }
  void close_read() { close_one(fds_[0]); }
  void close_write() { close_one(fds_[1]); }

 private:
  static void close_one(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  std::array<int, 2> fds_{-1, -1};
};

// Reads what is there; false at end of file.
bool drain(int fd, std::string& into, std::size_t max) {
  char buffer[65536];
  const ssize_t got = ::read(fd, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  const std::size_t room = max > into.size() ? max - into.size() : 0;
  into.append(buffer, std::min(room, static_cast<std::size_t>(got)));
  return true;
}

int decode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

[[noreturn]] void exec_child(const std::string& program, char* const* argv, char* const* envp) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(program.c_str(), argv, envp);
  ::_exit(127);
}

}  // namespace

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return name;
    return tl::unexpected(errno_error(errno, name));
  }
  const char* path = std::getenv("PATH");
  std::string where = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  where += ":/usr/sbin:/sbin";
  for (const auto& directory : split(where, ':')) {
    const std::string candidate = directory + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return fail(Errc::kNotFound,
              fmt::format("program \"{}\" is not installed (looked in {})", name, where));
}

Result<RunResult> run(const std::vector<std::string>& arguments, const RunOptions& options) {
  HIVE_ASSIGN(const std::string program, find_program(arguments.at(0)));
  auto args = arguments;
  auto env = merged_environment(options.environment);
  const auto argv = pointers(args);
  const auto envp = pointers(env);
  Pipe in;
  Pipe out;
  Pipe err;
  if (!in.ok() || !out.ok() || !err.ok())
    return tl::unexpected(errno_error(errno, "creating pipes for " + program));
  const pid_t pid = ::fork();
  if (pid < 0) return tl::unexpected(errno_error(errno, "starting " + program));
  if (pid == 0) {
    ::setpgid(0, 0);
    ::dup2(in.read_end(), 0);
    ::dup2(out.write_end(), 1);
    ::dup2(err.write_end(), 2);
    exec_child(program, argv.data(), envp.data());
  }
  in.close_read();
  out.close_write();
  err.close_write();
  ::fcntl(in.write_end(), F_SETFL, O_NONBLOCK);

  RunResult result;
  std::string_view input = options.input;
  if (input.empty()) in.close_write();
  bool out_open = true;
  bool err_open = true;
  const auto end = std::chrono::steady_clock::now() + options.deadline;
  while (out_open || err_open) {
    const auto left =
        std::chrono::duration_cast<Milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    std::array<pollfd, 3> fds{{{out_open ? out.read_end() : -1, POLLIN, 0},
                               {err_open ? err.read_end() : -1, POLLIN, 0},
                               {in.write_end(), POLLOUT, 0}}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) break;
    if (fds[0].revents != 0) out_open = drain(out.read_end(), result.out, options.max_output);
    if (fds[1].revents != 0) err_open = drain(err.read_end(), result.err, options.max_output);
    if (fds[2].revents != 0) {
      const ssize_t put = ::write(in.write_end(), input.data(), input.size());
      if (put > 0) input.remove_prefix(static_cast<std::size_t>(put));
      if (input.empty() || (put < 0 && errno != EAGAIN && errno != EINTR)) in.close_write();
    }
  }
  int status = 0;
  while (true) {
    const pid_t done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid) break;
    if (std::chrono::steady_clock::now() >= end) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return fail(Errc::kDeadlineExceeded,
                  fmt::format("{} did not end within {} ms", join(arguments, " "),
                              options.deadline.count()));
    }
    ::poll(nullptr, 0, 2);
  }
  result.exit_code = decode(status);
  return result;
}

Result<std::string> run_ok(const std::vector<std::string>& argv, const RunOptions& options) {
  HIVE_ASSIGN(auto result, run(argv, options));
  if (result.exit_code == 0) return std::move(result.out);
  std::string_view why = trim(result.err.empty() ? result.out : result.err);
  if (why.size() > 2000) why.remove_prefix(why.size() - 2000);
  return fail(Errc::kInternal,
              fmt::format("{} ended with {}: {}", join(argv, " "), result.exit_code, why));
}

Result<pid_t> spawn(const std::vector<std::string>& arguments, const SpawnOptions& options) {
  HIVE_ASSIGN(const std::string program, find_program(arguments.at(0)));
  auto args = arguments;
  auto env = merged_environment(options.environment);
  const auto argv = pointers(args);
  const auto envp = pointers(env);
  const std::string log = options.log_path.empty() ? "/dev/null" : options.log_path;
  const int fd = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return tl::unexpected(errno_error(errno, "opening " + log));
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (options.new_session) ::setsid();
    ::dup2(null, 0);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    exec_child(program, argv.data(), envp.data());
  }
  const int saved = errno;
  ::close(fd);
  ::close(null);
  if (pid < 0) return tl::unexpected(errno_error(saved, "starting " + program));
  return pid;
}

Result<unsigned long long> start_time(pid_t pid) {
  HIVE_ASSIGN(const std::string stat, read_file(fmt::format("/proc/{}/stat", pid), 65536));
  // The command name is in parentheses and may hold anything: count fields behind the last one.
  const auto paren = stat.rfind(')');
  if (paren == std::string::npos) return fail(Errc::kCorrupt, "unreadable /proc stat");
  const auto fields = split(trim(std::string_view(stat).substr(paren + 1)), ' ');
  if (fields.size() < 20) return fail(Errc::kCorrupt, "short /proc stat");
  if (fields[0] == "Z" || fields[0] == "X")
    return fail(Errc::kNotFound, fmt::format("process {} has ended", pid));
  return std::strtoull(fields[19].c_str(), nullptr, 10);
}

bool alive(pid_t pid, unsigned long long since) {
  const auto now = start_time(pid);
  return now.has_value() && *now == since;
}

}  // namespace hive::os
