#include "edge/haproxy/runtime.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "os/file.h"

namespace hive::edge::haproxy {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64U << 20;
constexpr std::size_t kMaxLineBytes = 8'000;  // HAProxy's buffer has 16 KiB

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status await_socket(int fd, short what, MonotonicTime until) {
  const auto left = std::chrono::duration_cast<Milliseconds>(until - SystemClock().now()).count();
  pollfd poll_fd{fd, what, 0};
  const int ready = left <= 0 ? 0 : ::poll(&poll_fd, 1, static_cast<int>(left));
  if (ready == 0) return fail(Errc::kDeadlineExceeded, "HAProxy's socket: no answer in time");
  if (ready < 0 && errno != EINTR)
    return tl::unexpected(os::errno_error(errno, "HAProxy's socket"));
  return {};
}

Error gone(const std::string& path) {
  const int number = errno;
  return {Errc::kUnavailable, "HAProxy's socket " + path + ": " + std::strerror(number), {}};
}

Status send_all(int fd, const std::string& path, std::string_view text, MonotonicTime until) {
  while (!text.empty()) {
    HIVE_TRY(await_socket(fd, POLLOUT, until));
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return tl::unexpected(gone(path));
    if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

// Columns by their names in the header line, which begins with "# ".
class Table {
 public:
  static Result<Table> parse(std::string_view header, char separator) {
    if (header.rfind("# ", 0) != 0)
      return fail(Errc::kCorrupt, "HAProxy's answer has no header line");
    Table table;
    table.separator_ = separator;
    table.columns_ = split(header.substr(2), separator);
    return table;
  }
  bool row(std::string_view line) {
    cells_ = split(line, separator_);
    return cells_.size() + 1 >= columns_.size();
  }
  std::string text(std::string_view column) const {
    for (std::size_t i = 0; i < columns_.size() && i < cells_.size(); ++i)
      if (columns_[i] == column) return cells_[i];
    return "";
  }
  bool has(std::string_view column) const {
    for (const std::string& one : columns_)
      if (one == column) return true;
    return false;
  }
  template <typename T>
  T number(std::string_view column) const {
    const std::string cell = text(column);
    T value = 0;
    std::from_chars(cell.data(), cell.data() + cell.size(), value);
    return value;
  }

 private:
  char separator_ = ',';
  std::vector<std::string> columns_;
  std::vector<std::string> cells_;
};

SlotState state_from(unsigned admin) {
  // proto: 0x01 forced maint, 0x02 inherited, 0x20 resolution, 0x40 host name; 0x08/0x10 drain.
  if ((admin & 0x63U) != 0) return SlotState::kMaint;
  return (admin & 0x18U) != 0 ? SlotState::kDrain : SlotState::kReady;
}

}  // namespace

Result<std::string> ask(const std::string& socket_path, std::string_view line,
                        Milliseconds deadline) {
  const MonotonicTime until = SystemClock().now() + deadline;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path))
    return fail(Errc::kInvalidArgument, "socket path is too long: " + socket_path);
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return tl::unexpected(os::errno_error(errno, "opening a socket"));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return tl::unexpected(gone(socket_path));
  HIVE_TRY(send_all(fd.get(), socket_path, std::string(line) + "\n", until));
  std::string answer;
  char buffer[65'536];
  while (true) {
    HIVE_TRY(await_socket(fd.get(), POLLIN, until));
    const ssize_t got = ::recv(fd.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got == 0) break;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return tl::unexpected(gone(socket_path));
    if (got > 0) answer.append(buffer, static_cast<std::size_t>(got));
    if (answer.size() > kMaxAnswerBytes)
      return fail(Errc::kResourceExhausted, "HAProxy's answer has no end");
  }
  if (answer.empty()) return fail(Errc::kUnavailable, "HAProxy closed its socket unanswered");
  return answer;
}

std::vector<std::string> batch_commands(const std::vector<std::string>& commands) {
  std::vector<std::string> lines;
  for (const std::string& command : commands) {
    if (lines.empty() || lines.back().size() + command.size() + 1 > kMaxLineBytes)
      lines.push_back(command);
    else
      lines.back() += ";" + command;
  }
  return lines;
}

Result<int> parse_pid(std::string_view info) {
  for (const std::string& line : split(info, '\n')) {
    if (line.rfind("Pid: ", 0) != 0) continue;
    int pid = 0;
    std::from_chars(line.data() + 5, line.data() + line.size(), pid);
    if (pid > 0) return pid;
  }
  return fail(Errc::kCorrupt, "HAProxy's answer to 'show info' has no Pid");
}

Result<SlotMap> parse_servers_state(std::string_view text) {
  const std::vector<std::string> lines = split(text, '\n');
  if (lines.size() < 2 || trim(lines[0]) != "1")
    return fail(Errc::kCorrupt, "HAProxy's 'show servers state' is not of version 1");
  HIVE_ASSIGN(Table table, Table::parse(lines[1], ' '));
  for (const char* column : {"be_name", "srv_name", "srv_addr", "srv_port", "srv_admin_state"})
    if (!table.has(column))
      return fail(Errc::kCorrupt, std::string("HAProxy's 'show servers state' lacks ") + column);
  SlotMap slots;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    if (trim(lines[i]).empty()) continue;
    if (!table.row(lines[i]))
      return fail(Errc::kCorrupt, "HAProxy's 'show servers state' has half a line");
    const auto index = slot_index(table.text("srv_name"));
    if (!index) continue;
    auto& backend = slots[table.text("be_name")];
    if (backend.size() <= *index) backend.resize(*index + 1);
    Slot& slot = backend[*index];
    slot.address = table.text("srv_addr");
    slot.port = table.number<std::uint16_t>("srv_port");
    slot.state = state_from(table.number<unsigned>("srv_admin_state"));
    slot.weight = table.number<int>("srv_uweight");
  }
  return slots;
}

Result<std::vector<ServerRow>> parse_stat(std::string_view csv) {
  const std::vector<std::string> lines = split(csv, '\n');
  HIVE_ASSIGN(Table table, Table::parse(lines.front(), ','));
  for (const char* column : {"pxname", "svname", "scur", "stot"})
    if (!table.has(column))
      return fail(Errc::kCorrupt, std::string("HAProxy's 'show stat' lacks ") + column);
  std::vector<ServerRow> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (trim(lines[i]).empty()) continue;
    if (!table.row(lines[i])) return fail(Errc::kCorrupt, "HAProxy's 'show stat' has half a line");
    ServerRow row;
    row.backend = table.text("pxname");
    row.server = table.text("svname");
    row.sessions = table.number<std::uint64_t>("stot");
    row.errors_5xx = table.number<std::uint64_t>("hrsp_5xx");
    row.connection_errors = table.number<std::uint64_t>("econ");
    row.bytes_in = table.number<std::uint64_t>("bin");
    row.bytes_out = table.number<std::uint64_t>("bout");
    row.current = table.number<std::uint32_t>("scur");
    row.queued = table.number<std::uint32_t>("qcur");
    row.response_time_ms = table.number<std::uint32_t>("rtime");
    row.rate = table.number<std::uint32_t>("rate");
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<std::size_t> slot_index(std::string_view server) {
  if (server.size() < 2 || server.front() != 's') return std::nullopt;
  std::size_t number = 0;
  const auto [end, error] =
      std::from_chars(server.data() + 1, server.data() + server.size(), number);
  if (error != std::errc() || end != server.data() + server.size() || number == 0 ||
      number > 1'000'000)
    return std::nullopt;
  return number - 1;
}

}  // namespace hive::edge::haproxy
