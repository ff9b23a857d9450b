#include "agent/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include "os/file.h"

namespace hive::agent {
namespace {

// A client that has ended its sending half (CLOSE_WAIT here) still waits for its answer.
constexpr std::uint32_t kOpen =
    (1U << TCP_ESTABLISHED) | (1U << TCP_SYN_RECV) | (1U << TCP_CLOSE_WAIT);
constexpr std::uint32_t kStates = kOpen | (1U << TCP_LISTEN);

struct Ask {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

bool is_loopback(const inet_diag_msg& socket) {
  const auto& address = socket.id.idiag_dst;
  if (socket.idiag_family == AF_INET) return (ntohl(address[0]) >> 24U) == 127;
  const bool mapped = address[0] == 0 && address[1] == 0 && address[2] == htonl(0xffff);
  if (mapped) return (ntohl(address[3]) >> 24U) == 127;
  return address[0] == 0 && address[1] == 0 && address[2] == 0 && address[3] == htonl(1);
}

void count(const inet_diag_msg& socket, const std::vector<std::uint16_t>& ports,
           SocketSight& sight) {
  const std::uint16_t port = ntohs(socket.id.idiag_sport);
  if (std::find(ports.begin(), ports.end(), port) == ports.end()) return;
  if (socket.idiag_state == TCP_LISTEN)
    sight.listens = true;
  else if (!is_loopback(socket))
    ++sight.connections;
}

Status ask(int fd, int family, const std::vector<std::uint16_t>& ports, SocketSight& sight) {
  Ask message{};
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = static_cast<std::uint8_t>(family);
  message.request.sdiag_protocol = IPPROTO_TCP;
  message.request.idiag_states = kStates;
  if (::send(fd, &message, sizeof message, 0) != static_cast<ssize_t>(sizeof message))
    return tl::unexpected(os::errno_error(errno, "asking for sockets"));
  alignas(nlmsghdr) std::array<char, 32'768> buffer{};
  while (true) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return tl::unexpected(os::errno_error(errno, "reading the list of sockets"));
    std::size_t at = 0;
    while (at + sizeof(nlmsghdr) <= static_cast<std::size_t>(got)) {
      nlmsghdr header{};
      std::memcpy(&header, buffer.data() + at, sizeof header);
      if (header.nlmsg_type == NLMSG_DONE) return {};
      if (header.nlmsg_type == NLMSG_ERROR)
        return fail(Errc::kUnavailable, "the kernel refuses to list sockets");
      inet_diag_msg socket{};
      if (header.nlmsg_len < NLMSG_HDRLEN + sizeof socket) break;
      std::memcpy(&socket, buffer.data() + at + NLMSG_HDRLEN, sizeof socket);
      count(socket, ports, sight);
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
  }
}

// In a thread of its own, which is in the namespace for good and ends.
Result<SocketSight> look(int pid, const std::vector<std::uint16_t>& ports) {
  const std::string path = fmt::format("/proc/{}/ns/net", pid);
  const int ns = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (ns < 0) return fail(Errc::kNotFound, "process " + std::to_string(pid) + " has ended");
  const bool inside = ::setns(ns, CLONE_NEWNET) == 0;
  const int why = errno;
  ::close(ns);
  if (!inside) return tl::unexpected(os::errno_error(why, "entering " + path));
  const int fd = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return tl::unexpected(os::errno_error(errno, "opening a netlink socket"));
  const timeval limit{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  SocketSight sight;
  Status status = ask(fd, AF_INET, ports, sight);
  if (status) status = ask(fd, AF_INET6, ports, sight);
  ::close(fd);
  if (!status) return tl::unexpected(status.error());
  return sight;
}

}  // namespace

Result<SocketSight> look_at_sockets(int pid, const std::vector<std::uint16_t>& ports) {
  Result<SocketSight> out = fail(Errc::kInternal, "not run");
  std::thread([&] { out = look(pid, ports); }).join();
  return out;
}

}  // namespace hive::agent
