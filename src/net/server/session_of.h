// The session of one kind of stream; included only by the files that compile it (see session.h).
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <type_traits>

#include "base/log.h"
#include "net/server/request.h"
#include "net/server/session.h"
#include "net/server/stream_queue.h"

namespace hive::net::server {

namespace beast = boost::beast;
namespace http = boost::beast::http;

// One connection. Everything happens on the io thread, but for the handler's own run.
template <typename Stream>
class Session final : public SessionBase, public std::enable_shared_from_this<Session<Stream>> {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  Session(Shared& shared, Stream stream, Peer peer, std::shared_ptr<asio::ssl::context> context)
      : shared_(shared),
        context_(std::move(context)),
        stream_(std::move(stream)),
        peer_(std::move(peer)),
        keepalive_(shared.io) {
    ++shared_.connections;
  }
  ~Session() override {
    if (queue_) {
      queue_->detach();
      --shared_.streams;
    }
    shared_.sessions.erase(this);
    {
      std::lock_guard lock(shared_.mutex);
      --shared_.connections;
    }
    shared_.ended.notify_all();
  }

  void run() {
    shared_.sessions[this] = this->weak_from_this();
    if constexpr (kTls) {
      lowest().expires_after(shared_.options.read_timeout);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code failure) {
                                if (failure) {
                                  ++self->shared_.rejected;
                                  log::debug(kComponent, "TLS handshake with {}: {}",
                                             self->peer_.address, failure.message());
                                  return;
                                }
                                self->read_subject();
                                self->read();
                              });
    } else {
      read();
    }
  }

  void end_soon() override {
    if (queue_ || idle_) {
      abort();
    } else {
      close_after_write_ = true;
    }
  }
  void detach() override {
    if (queue_) queue_->detach();
  }

 private:
  auto& lowest() { return beast::get_lowest_layer(stream_); }

  void abort() { lowest().close(); }

  void read_subject() {
    if constexpr (kTls) {
      X509* certificate = SSL_get1_peer_certificate(stream_.native_handle());
      if (certificate == nullptr) return;
      read_names(certificate, peer_);
      X509_free(certificate);
    }
  }

  void read() {
    if (shared_.stopping) return finish();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.max_header_bytes));
    parser_->body_limit(shared_.options.max_body_bytes);
    idle_ = true;
    lowest().expires_after(first_ ? shared_.options.read_timeout : shared_.options.idle_timeout);
    first_ = false;
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](error_code failure, std::size_t) {
                              self->on_header(failure);
                            });
  }

  void on_header(error_code failure) {
    idle_ = false;
    if (failure) return refuse(failure);
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body();
    send("HTTP/1.1 100 Continue\r\n\r\n", &Session::continued);
  }

  void continued(error_code failure) {
    if (!failure) read_body();
  }

  void read_body() {
    lowest().expires_after(shared_.options.read_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](error_code failure, std::size_t) {
                       if (failure) return self->refuse(failure);
                       self->handle();
                     });
  }

  // What cannot be read as a request gets an answer when the client may still hear it.
  void refuse(error_code failure) {
    close_after_write_ = true;
    if (failure == http::error::end_of_stream) return finish();
    if (failure == http::error::body_limit)
      return respond(ServerResponse::error(413, "the body is too large"));
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow)
      return respond(ServerResponse::error(431, "the headers are too large"));
    if (failure.category() == make_error_code(http::error::bad_method).category() &&
        failure != http::error::partial_message)
      return respond(ServerResponse::error(400, "not a HTTP request: " + failure.message()));
  }

  void handle() {
    ++shared_.requests;
    auto& message = parser_->get();
    keep_alive_ = message.keep_alive();
    version_ = message.version();
    head_ = message.method() == http::verb::head;
    auto request = std::make_shared<ServerRequest>();
    request->method = std::string(message.method_string());
    split_target(std::string_view(message.target().data(), message.target().size()), *request);
    for (const auto& field : message)
      request->headers.emplace(
          lower(std::string_view(field.name_string().data(), field.name_string().size())),
          std::string(field.value()));
    request->body = std::move(message.body());
    request->peer = peer_;
    lowest().expires_never();
    if (!shared_.workers) return respond(call(shared_.handler, *request));
    if (shared_.queued_requests.fetch_add(1) >= shared_.options.max_queued_requests) {
      --shared_.queued_requests;
      return respond(ServerResponse::error(503, "too many requests are waiting"));
    }
    asio::post(*shared_.workers, [self = this->shared_from_this(), request]() mutable {
      auto response = std::make_shared<ServerResponse>(call(self->shared_.handler, *request));
      --self->shared_.queued_requests;
      auto& io = self->shared_.io;
      // The session must end on the io thread alone: the last reference goes with the post.
      asio::post(io, [moved = std::move(self), response] { moved->respond(std::move(*response)); });
    });
  }

  // The status line and the fields; a body's length is its header's business.
  std::string head_of(const ServerResponse& response, bool keep_alive, bool has_length) const {
    http::response<http::empty_body> head(static_cast<http::status>(response.status), version_);
    for (const auto& [name, value] : response.headers) head.insert(name, value);
    head.set("X-Content-Type-Options", "nosniff");
    if (head.find(http::field::cache_control) == head.end())
      head.set(http::field::cache_control, "no-store");
    if (!response.content_type.empty() && response.status != 204)
      head.set(http::field::content_type, response.content_type);
    if (has_length) head.content_length(response.body.size());
    head.keep_alive(keep_alive);
    return wire_form(head.version(), head.result_int(), head.reason(), head);
  }

  void respond(ServerResponse response) {
    if (response.on_stream && !head_) return start_stream(std::move(response));
    // Bytes that came before the answer would be pipelined requests.
    if (buffer_.size() > 0 || shared_.stopping) close_after_write_ = true;
    const bool bodiless = response.status == 204 || response.status == 304;
    out_ =
        head_of(response, keep_alive_ && !close_after_write_, !bodiless || !response.body.empty());
    if (!head_) out_ += response.body;
    send(out_, &Session::written);
  }

  // Sends the bytes, which stay where they are, then goes on with `then`. What is slow gets its
  // time from the progress that it makes.
  void send(std::string_view bytes, void (Session::*then)(error_code)) {
    lowest().expires_after(shared_.options.write_timeout);
    stream_.async_write_some(
        asio::buffer(bytes.data(), bytes.size()),
        [self = this->shared_from_this(), bytes, then](error_code failure, std::size_t count) {
          if (self->frame_) self->shared_.stream_bytes += count;
          if (!failure && count < bytes.size()) return self->send(bytes.substr(count), then);
          ((*self).*then)(failure);
        });
  }

  void written(error_code failure) {
    if (failure) return;
    if (!keep_alive_ || close_after_write_) return finish();
    read();
  }

  void finish() {
    if constexpr (kTls) {
      lowest().expires_after(shared_.options.write_timeout);
      stream_.async_shutdown([self = this->shared_from_this()](error_code) {});
    } else {
      error_code ignored;
      lowest().socket().shutdown(asio::socket_base::shutdown_send, ignored);
    }
  }

  // --- event streams
  void start_stream(ServerResponse response) {
    ++shared_.streams;
    auto& io = shared_.io;
    queue_ = std::make_shared<StreamQueue>(
        shared_.options.max_stream_queue_bytes,
        [weak = this->weak_from_this(), &io] {
          asio::post(io, [weak] {
            if (auto self = weak.lock()) self->write_next();
          });
        },
        shared_.slow);
    response.status = 200;
    response.content_type = "text/event-stream";
    response.headers.emplace("X-Accel-Buffering", "no");
    version_ = 11;
    out_ = head_of(response, false, false);
    writing_ = true;
    send(out_, &Session::stream_started);
    response.on_stream(queue_);
  }

  void stream_started(error_code failure) {
    writing_ = false;
    if (failure) return abort();
    watch();
    write_next();
    tick();
  }

  // A client says nothing on an event stream; that the read ends tells that it left.
  void watch() {
    lowest().expires_never();
    stream_.async_read_some(asio::buffer(ignored_, sizeof(ignored_)),
                            [self = this->shared_from_this()](error_code failure, std::size_t) {
                              if (failure) {
                                self->queue_->detach();
                                self->keepalive_.cancel();
                                return self->abort();
                              }
                              self->watch();
                            });
  }

  void tick() {
    keepalive_.expires_after(shared_.options.keepalive);
    keepalive_.async_wait([weak = this->weak_from_this()](error_code failure) {
      if (failure) return;
      if (auto self = weak.lock()) {
        static const auto kPing = std::make_shared<const std::string>(": ping\n\n");
        if (!self->queue_->front()) self->queue_->push_frame(kPing);
        self->tick();
      }
    });
  }

  void write_next() {
    if (writing_) {
      if (queue_->dropped()) abort();
      return;
    }
    frame_ = queue_->front();
    if (!frame_) {
      if (queue_->closing()) {
        keepalive_.cancel();
        abort();
      }
      return;
    }
    writing_ = true;
    send(*frame_, &Session::frame_sent);
  }

  void frame_sent(error_code failure) {
    writing_ = false;
    if (failure) {
      queue_->detach();
      keepalive_.cancel();
      return abort();
    }
    queue_->pop();
    write_next();
  }

  Shared& shared_;
  std::shared_ptr<asio::ssl::context> context_;
  Stream stream_;
  Peer peer_;
  beast::flat_buffer buffer_{1U << 20};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string out_;  // what is being sent, but for events
  bool first_ = true;
  bool idle_ = false;
  bool keep_alive_ = false;
  bool close_after_write_ = false;
  bool head_ = false;
  unsigned version_ = 11;

  std::shared_ptr<StreamQueue> queue_;
  std::shared_ptr<const std::string> frame_;
  bool writing_ = false;
  asio::steady_timer keepalive_;
  char ignored_[256];
};

}  // namespace hive::net::server
