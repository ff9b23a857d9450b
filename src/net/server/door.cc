#include "net/server/door.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <type_traits>

#include "base/log.h"
#include "net/server/session.h"
#include "net/server/tls_contexts.h"

namespace hive::net::server {
namespace {

using tcp = asio::ip::tcp;
using unix_protocol = asio::local::stream_protocol;

template <typename Protocol>
class DoorOf final : public Door {
 public:
  DoorOf(Shared& shared, ListenAt at, int fd, Protocol protocol)
      : shared_(shared), at_(std::move(at)), acceptor_(shared.io), retry_(shared.io) {
    acceptor_.assign(protocol, fd);
    if (at_.tls) contexts_.emplace(*at_.tls);
  }

  void accept() override {
    acceptor_.async_accept([this](error_code failure, auto socket) {
      if (failure == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (failure) return accept_later(failure);
      begin(std::move(socket));
      accept();
    });
  }
  void close() override {
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    if (!at_.unix_path.empty() && at_.fd < 0) ::unlink(at_.unix_path.c_str());
  }
  std::uint16_t port() const override {
    if constexpr (std::is_same_v<Protocol, tcp>) {
      error_code failure;
      return acceptor_.local_endpoint(failure).port();
    } else {
      return 0;
    }
  }

 private:
  // Out of descriptors, most likely: try again when some may be free.
  void accept_later(error_code failure) {
    log::warn(kComponent, "accepting a connection: {}", failure.message());
    retry_.expires_after(Milliseconds(100));
    retry_.async_wait([this](error_code cancelled) {
      if (!cancelled) accept();
    });
  }

  template <typename Socket>
  void begin(Socket socket) {
    if (shared_.connections >= shared_.options.max_connections) {
      ++shared_.rejected;
      return;
    }
    Peer peer;
    peer.listener = at_.name;
    if constexpr (std::is_same_v<Protocol, tcp>) {
      error_code ignored;
      peer.address = socket.remote_endpoint(ignored).address().to_string();
      socket.set_option(tcp::no_delay(true), ignored);
      if (contexts_) return begin_tls(std::move(socket), std::move(peer));
      serve_plain(shared_, std::move(socket), std::move(peer));
    } else {
      ucred credentials{};
      socklen_t size = sizeof(credentials);
      if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
        peer.unix_uid = credentials.uid;
      serve_plain(shared_, std::move(socket), std::move(peer));
    }
  }

  template <typename Socket>
  void begin_tls(Socket socket, Peer peer) {
    auto context = contexts_->get();
    if (!context) {
      ++shared_.rejected;
      log::warn(kComponent, "connection from {} refused: {}", peer.address,
                context.error().message);
      return;
    }
    serve_tls(shared_, std::move(socket), std::move(peer), *context);
  }

  Shared& shared_;
  ListenAt at_;
  asio::basic_socket_acceptor<Protocol, asio::io_context::executor_type> acceptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock> retry_;
  std::optional<TlsContexts> contexts_;
};

Error system_error(const std::string& what) {
  const int number = errno;
  const Errc code = number == EADDRINUSE                          ? Errc::kAlreadyExists
                    : number == EACCES || number == EPERM         ? Errc::kPermissionDenied
                    : number == EADDRNOTAVAIL || number == ENOENT ? Errc::kFailedPrecondition
                                                                  : Errc::kInternal;
  return Error{code, what + ": " + std::strerror(number), std::nullopt};
}

Result<int> open_tcp(const ListenAt& at) {
  error_code failure;
  const auto address = asio::ip::make_address(at.address, failure);
  if (failure)
    return fail(Errc::kInvalidArgument, "'" + at.address + "' is not an IP address to listen at");
  const tcp::endpoint endpoint(address, at.port);
  const std::string what = "listening at " + at.address + ":" + std::to_string(at.port);
  const int fd = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(system_error(what));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(fd, SOMAXCONN) != 0) {
    auto error = system_error(what);
    ::close(fd);
    return tl::unexpected(std::move(error));
  }
  return fd;
}

Result<int> open_unix(const ListenAt& at) {
  const std::string what = "listening at " + at.unix_path;
  if (at.unix_path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(Errc::kInvalidArgument, what + ": the path is too long for a unix socket");
  const unix_protocol::endpoint endpoint(at.unix_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(system_error(what));
  struct stat status {};
  if (::lstat(at.unix_path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    // Somebody answers there: it is not stale.
    const bool alive = ::connect(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
    if (alive) {
      ::close(fd);
      return fail(Errc::kAlreadyExists, what + ": another server listens there");
    }
    ::unlink(at.unix_path.c_str());
  }
  // fchmod before bind decides the mode of the file, so it is never open to others.
  if (::fchmod(fd, at.unix_mode) != 0 ||
      ::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::chmod(at.unix_path.c_str(), at.unix_mode) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    auto error = system_error(what);
    ::close(fd);
    return tl::unexpected(std::move(error));
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<Door>> open_door(Shared& shared, const ListenAt& at) {
  if (at.fd >= 0) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getsockname(at.fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      return tl::unexpected(system_error("adopting a listening socket"));
    if (address.ss_family == AF_UNIX)
      return std::make_unique<DoorOf<unix_protocol>>(shared, at, at.fd, unix_protocol());
    return std::make_unique<DoorOf<tcp>>(shared, at, at.fd,
                                         address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4());
  }
  if (!at.unix_path.empty()) {
    HIVE_ASSIGN(const int fd, open_unix(at));
    return std::make_unique<DoorOf<unix_protocol>>(shared, at, fd, unix_protocol());
  }
  HIVE_ASSIGN(const int fd, open_tcp(at));
  return std::make_unique<DoorOf<tcp>>(
      shared, at, fd, at.address.find(':') == std::string::npos ? tcp::v4() : tcp::v6());
}

}  // namespace hive::net::server
