#include "load/exchange.h"

#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <cstring>

namespace hive::bench {
namespace {

namespace http = boost::beast::http;

constexpr std::uint64_t kMaxBodyBytes = 64U << 20;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS; }

std::string render(const Planned& request, const std::string& host) {
  const bool keep = request.kind == Kind::kKeepAlive;
  std::string out =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hive-load\r\nConnection: {}\r\n",
                  request.method, request.target, host, keep ? "keep-alive" : "close");
  if (!request.body.empty())
    out += fmt::format("Content-Type: text/plain\r\nContent-Length: {}\r\n", request.body.size());
  return out + "\r\n" + request.body;
}

}  // namespace

Exchange::Exchange(const sockaddr_in& to, std::string host) : host_(std::move(host)) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr generic{};
  std::memcpy(&generic, &to, sizeof to);
  if (fd_ < 0 || (::connect(fd_, &generic, sizeof to) != 0 && !would_block())) open_error_ = errno;
}

Exchange::~Exchange() {
  if (fd_ >= 0) ::close(fd_);
}

void Exchange::begin(Planned request) {
  out_ = render(request, host_);
  request_ = std::move(request);
  parser_ = std::make_unique<Parser>();
  parser_->body_limit(kMaxBodyBytes);
  parser_->eager(true);
  reusable_ = false;
}

bool Exchange::stale() const {
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || !would_block();
}

Outcome Exchange::failed(std::string why) {
  Outcome out;
  if (parser_->is_header_done()) {
    out.status = static_cast<int>(parser_->get().result_int());
    out.bytes = parser_->get().body().size();
    why += " after the answer began";
  }
  out.error = std::move(why);
  request_.reset();
  return out;
}

std::optional<Outcome> Exchange::step() {
  if (open_error_ != 0) return failed(fmt::format("connecting: {}", std::strerror(open_error_)));
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failed(fmt::format("connecting: {}", std::strerror(error)));
  }
  if (auto out = send_rest()) return out;
  return read_some();
}

std::optional<Outcome> Exchange::send_rest() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0 && (would_block() || errno == ENOTCONN)) return std::nullopt;
    // The answer may be there all the same: reading says more than the failed write.
    if (sent < 0) break;
    connected_ = true;
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  return std::nullopt;
}

std::optional<Outcome> Exchange::read_some() {
  char buffer[65536];
  while (true) {
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got < 0 && (would_block() || errno == ENOTCONN)) return std::nullopt;
    if (got < 0) return failed(fmt::format("reading: {}", std::strerror(errno)));
    in_.append(buffer, static_cast<std::size_t>(got));
    if (auto out = parse(got == 0)) return out;
    if (got == 0) return failed("closed without an answer");
  }
}

std::optional<Outcome> Exchange::parse(bool ended) {
  boost::beast::error_code error;
  while (!in_.empty() && !parser_->is_done()) {
    const std::size_t used = parser_->put(boost::asio::buffer(in_), error);
    in_.erase(0, used);
    if (error == http::error::need_more) break;
    if (error) return failed("answer: " + error.message());
  }
  if (ended && !parser_->is_done()) {
    if (!parser_->got_some()) return failed("closed without an answer");
    parser_->put_eof(error);
    if (error) return failed("closed in the middle of the answer");
  }
  if (!parser_->is_done()) return std::nullopt;
  return judge();
}

Outcome Exchange::judge() {
  const auto& answer = parser_->get();
  Outcome out;
  out.status = static_cast<int>(answer.result_int());
  out.bytes = answer.body().size();
  if (out.status != 200)
    out.error = fmt::format("status {}", out.status);
  else if (!request_->body.empty() && answer.body() != request_->body)
    out.error = "the body is not what was sent";
  else if (request_->download != 0 && out.bytes != request_->download)
    out.error = fmt::format("{} bytes of {}", out.bytes, request_->download);
  reusable_ = request_->kind == Kind::kKeepAlive && answer.keep_alive() && in_.empty();
  request_.reset();
  return out;
}

}  // namespace hive::bench
