#include "net/testing/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hive::net::testing {
namespace {

// Waits until `fd` is readable; false when the server is being stopped.
bool wait_readable(int fd, int stop_fd) {
  pollfd fds[2] = {{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
  while (::poll(fds, 2, -1) < 0) {
  }
  return fds[1].revents == 0;
}

bool read_more(int fd, int stop_fd, std::string& buffer) {
  if (!wait_readable(fd, stop_fd)) return false;
  char chunk[65536];
  const ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  buffer.append(chunk, static_cast<std::size_t>(got));
  return true;
}

void parse_head(const std::string& head, ScriptedRequest& request) {
  std::size_t at = head.find("\r\n");
  const std::string first = head.substr(0, at);
  const auto space = first.find(' ');
  request.method = first.substr(0, space);
  request.path = first.substr(space + 1, first.rfind(' ') - space - 1);
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string line = head.substr(at + 2, end == std::string::npos ? end : end - at - 2);
    at = end;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto start = line.find_first_not_of(' ', colon + 1);
    request.headers[name] = start == std::string::npos ? "" : line.substr(start);
  }
}

}  // namespace

Reply answer(int status, const std::string& body, const std::string& headers) {
  Reply reply;
  reply.pieces.push_back("HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
  return reply;
}

Reply json_answer(int status, const std::string& body) {
  return answer(status, body, "Content-Type: application/json\r\n");
}

ScriptedServer::ScriptedServer(Kind kind, Handler handler) : handler_(std::move(handler)) {
  if (::pipe(stop_pipe_) != 0) std::abort();
  if (kind == Kind::kUnix) {
    char name[] = "/tmp/hive-scripted-XXXXXX";
    directory_ = ::mkdtemp(name);
    socket_path_ = directory_ + "/s";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path_.c_str(), sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0) std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  if (::listen(listener_, 64) != 0) std::abort();
  acceptor_ = std::thread([this] { accept_loop(); });
}

ScriptedServer::~ScriptedServer() {
  ::close(stop_pipe_[1]);
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  ::close(stop_pipe_[0]);
  ::close(listener_);
  if (!directory_.empty()) {
    ::unlink(socket_path_.c_str());
    ::rmdir(directory_.c_str());
  }
}

std::vector<ScriptedRequest> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedServer::accept_loop() {
  while (wait_readable(listener_, stop_pipe_[0])) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int number = ++connections_;
    threads_.emplace_back([this, fd, number] {
      serve(fd, number);
      ::close(fd);
    });
  }
}

void ScriptedServer::serve(int fd, int number) {
  std::string buffer;
  while (true) {
    ScriptedRequest request;
    request.connection = number;
    if (!read_request(fd, buffer, request)) return;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Reply reply = handler_(request);
    if (!write_reply(fd, reply)) return;
    if (reply.then == Reply::Then::kClose) return;
    if (reply.then == Reply::Then::kHang) {
      std::string ignored;
      while (read_more(fd, stop_pipe_[0], ignored)) {
      }
      return;
    }
  }
}

bool ScriptedServer::read_request(int fd, std::string& buffer, ScriptedRequest& request) {
  std::size_t end;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
    if (!read_more(fd, stop_pipe_[0], buffer)) return false;
  parse_head(buffer.substr(0, end), request);
  buffer.erase(0, end + 4);
  if (request.headers["transfer-encoding"] == "chunked") {
    while (true) {
      std::size_t line;
      while ((line = buffer.find("\r\n")) == std::string::npos)
        if (!read_more(fd, stop_pipe_[0], buffer)) return false;
      const std::size_t size = std::strtoul(buffer.c_str(), nullptr, 16);
      while (buffer.size() < line + 2 + size + 2)
        if (!read_more(fd, stop_pipe_[0], buffer)) return false;
      request.body += buffer.substr(line + 2, size);
      buffer.erase(0, line + 2 + size + 2);
      if (size == 0) return true;
    }
  }
  const std::size_t length = std::strtoul(request.headers["content-length"].c_str(), nullptr, 10);
  while (buffer.size() < length)
    if (!read_more(fd, stop_pipe_[0], buffer)) return false;
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return true;
}

bool ScriptedServer::write_reply(int fd, const Reply& reply) {
  for (const std::string& piece : reply.pieces) {
    std::size_t done = 0;
    while (done < piece.size()) {
      const ssize_t wrote = ::send(fd, piece.data() + done, piece.size() - done, MSG_NOSIGNAL);
      if (wrote <= 0) return false;
      done += static_cast<std::size_t>(wrote);
    }
  }
  return true;
}

}  // namespace hive::net::testing
