#include "cloud/local/daemon.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "cloud/local/state.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

std::string listening_inode(int port) {
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto text = os::read_file(table, 16U << 20);
    if (!text) continue;
    for (const auto& line : split(*text, '\n')) {
      std::vector<std::string> fields;
      for (auto& f : split(line, ' '))
        if (!f.empty()) fields.push_back(std::move(f));
      if (fields.size() < 10 || fields[3] != "0A") continue;
      const auto colon = fields[1].rfind(':');
      if (std::strtol(fields[1].c_str() + colon + 1, nullptr, 16) == port) return fields[9];
    }
  }
  return {};
}

std::string holder_of(const std::string& inode) {
  const std::string wanted = "socket:[" + inode + "]";
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    if (std::atoi(at->path().filename().c_str()) <= 0) continue;
    std::error_code inner;
    for (fs::directory_iterator fd(at->path() / "fd", inner), done; !inner && fd != done;
         fd.increment(inner)) {
      std::error_code ignored;
      if (fs::read_symlink(fd->path(), ignored) != wanted) continue;
      const auto name = os::read_file(at->path() / "comm", 256);
      return fmt::format("process {} ({})", at->path().filename().string(),
                         name ? std::string(trim(*name)) : "?");
    }
  }
  return {};
}

}  // namespace

pid_t running_daemon(const Paths& paths, const std::string& name) {
  const auto text = os::read_file(paths.run / (name + ".pid"), 256);
  if (!text) return 0;
  const auto words = split(trim(*text), ' ');
  if (words.size() != 2) return 0;
  const pid_t pid = std::atoi(words[0].c_str());
  return pid > 0 && os::alive(pid, std::strtoull(words[1].c_str(), nullptr, 10)) ? pid : 0;
}

Status write_pidfile(const Paths& paths, const std::string& name, pid_t pid) {
  HIVE_ASSIGN(const auto since, os::start_time(pid));
  return os::write_file_atomically(paths.run / (name + ".pid"), fmt::format("{} {}\n", pid, since),
                                   0600);
}

Result<pid_t> start_daemon(const Paths& paths, const std::string& name,
                           const std::vector<std::string>& argv) {
  os::SpawnOptions options;
  options.log_path = (paths.state / (name + ".log")).string();
  options.environment = {environment_mark(paths)};
  HIVE_ASSIGN(const pid_t pid, os::spawn(argv, options));
  HIVE_TRY(write_pidfile(paths, name, pid));
  return pid;
}

Status check_port_free(const std::string& address, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(os::errno_error(errno, "opening a socket"));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, address.c_str(), &at.sin_addr);
  sockaddr generic{};
  static_assert(sizeof generic == sizeof at);
  __builtin_memcpy(&generic, &at, sizeof at);
  const int bound = ::bind(fd, &generic, sizeof generic) == 0 ? ::listen(fd, 1) : -1;
  const int why = errno;
  ::close(fd);
  if (bound == 0) return {};
  if (why != EADDRINUSE)
    return tl::unexpected(os::errno_error(why, fmt::format("listening on {}:{}", address, port)));
  const auto inode = listening_inode(port);
  const auto holder = inode.empty() ? std::string() : holder_of(inode);
  return fail(Errc::kAlreadyExists,
              fmt::format("port {} of {} is in use{}{}; stop what listens there or choose another "
                          "port in `listeners`",
                          port, address, holder.empty() ? "" : " by ", holder));
}

}  // namespace hive::cloud::local
