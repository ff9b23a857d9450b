#include "net/http_server.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <unordered_map>

#include "base/log.h"
#include "net/pem.h"

namespace hive::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using unix_protocol = asio::local::stream_protocol;
using PlainStream = beast::basic_stream<tcp, asio::io_context::executor_type>;
using UnixStream = beast::basic_stream<unix_protocol, asio::io_context::executor_type>;
using TlsStream = beast::ssl_stream<PlainStream>;
using boost::system::error_code;

constexpr std::string_view kComponent = "http";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// A subject entry of a certificate, or empty.
std::string subject_entry(X509* certificate, int nid) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, nid, -1);
  if (index < 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

// What the server's parts share. Counters are read from any thread.
struct Shared {
  ServerOptions options;
  Handler handler;
  std::atomic<std::size_t> queued_requests{0};
  std::atomic<std::uint64_t> connections{0}, streams{0}, requests{0}, rejected{0}, slow{0},
      stream_bytes{0};
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable ended;  // a session ended

  // Only on the io thread.
  class SessionBase;
  std::unordered_map<SessionBase*, std::weak_ptr<SessionBase>> sessions;

  std::unique_ptr<asio::thread_pool> workers;
  // Last: sessions live in its handlers and use the members above until they end.
  asio::io_context io{1};
};

class Shared::SessionBase {
 public:
  virtual ~SessionBase() = default;
  // Ends now when idle or streaming, else after the response under way.
  virtual void end_soon() = 0;
  // No push may reach the server from now on.
  virtual void detach() = 0;
};

// The queue between pushers (any thread) and one session (the io thread).
class StreamQueue final : public EventStream {
 public:
  StreamQueue(std::size_t max_bytes, std::function<void()> kick, std::atomic<std::uint64_t>& slow)
      : max_bytes_(max_bytes), kick_(std::move(kick)), slow_(&slow) {}

  bool push(std::string_view event, std::string_view data) override {
    return push_frame(make_frame(event, data));
  }
  bool push_frame(std::shared_ptr<const std::string> frame) override {
    std::lock_guard lock(mutex_);
    if (closing_ || !kick_) return false;
    if (!frames_.empty() && bytes_ + frame->size() > max_bytes_) {
      closing_ = true;
      frames_.clear();
      bytes_ = 0;
      dropped_ = true;
      ++*slow_;
      kick_();
      return false;
    }
    bytes_ += frame->size();
    frames_.push_back(std::move(frame));
    kick_();
    return true;
  }
  bool open() const override {
    std::lock_guard lock(mutex_);
    return !closing_ && kick_;
  }
  void close() override {
    std::lock_guard lock(mutex_);
    closing_ = true;
    if (kick_) kick_();
  }

  // For the session. The frame stays in the queue (and counts) until pop().
  std::shared_ptr<const std::string> front() const {
    std::lock_guard lock(mutex_);
    return frames_.empty() ? nullptr : frames_.front();
  }
  void pop() {
    std::lock_guard lock(mutex_);
    if (frames_.empty()) return;  // dropped meanwhile
    bytes_ -= frames_.front()->size();
    frames_.pop_front();
  }
  bool closing() const {
    std::lock_guard lock(mutex_);
    return closing_;
  }
  bool dropped() const {
    std::lock_guard lock(mutex_);
    return dropped_;
  }
  // The connection is gone: nothing may reach the server any more.
  void detach() {
    std::lock_guard lock(mutex_);
    closing_ = true;
    kick_ = nullptr;
    frames_.clear();
    bytes_ = 0;
  }

 private:
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::function<void()> kick_;
  std::atomic<std::uint64_t>* slow_;
  std::deque<std::shared_ptr<const std::string>> frames_;
  std::size_t bytes_ = 0;
  bool closing_ = false;
  bool dropped_ = false;
};

void split_target(std::string_view target, ServerRequest& request) {
  const auto mark = target.find('?');
  request.path = percent_decode(target.substr(0, mark));
  if (mark == std::string_view::npos) return;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (!pair.empty())
      request.query[percent_decode(pair.substr(0, equals))] =
          equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
}

ServerResponse call(const Handler& handler, const ServerRequest& request) {
  try {
    return handler(request);
  } catch (const std::exception& failure) {
    log::error(kComponent, "handler of {} {}: {}", request.method, request.path, failure.what());
    return ServerResponse::error(500, "internal error, see the log");
  }
}

// One connection. Everything happens on the io thread, but for the handler's own run.
template <typename Stream>
class Session final : public Shared::SessionBase,
                      public std::enable_shared_from_this<Session<Stream>> {
 public:
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
    if constexpr (std::is_same_v<Stream, TlsStream>) {
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
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      X509* certificate = SSL_get1_peer_certificate(stream_.native_handle());
      if (certificate == nullptr) return;
      peer_.ou = subject_entry(certificate, NID_organizationalUnitName);
      peer_.cn = subject_entry(certificate, NID_commonName);
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
    lowest().expires_after(shared_.options.read_timeout);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue"))
      return continue_then_read_body();
    read_body();
  }

  void continue_then_read_body() {
    static const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = this->shared_from_this()](error_code failure, std::size_t) {
                        if (!failure) self->read_body();
                      });
  }

  void read_body() {
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
    for (const auto& field : message) {
      request->headers.emplace(
          lower(std::string_view(field.name_string().data(), field.name_string().size())),
          std::string(field.value()));
    }
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

  void fill(http::fields& fields, const ServerResponse& response) {
    for (const auto& [name, value] : response.headers) fields.insert(name, value);
    fields.set("X-Content-Type-Options", "nosniff");
    if (fields.find(http::field::cache_control) == fields.end())
      fields.set(http::field::cache_control, "no-store");
  }

  void respond(ServerResponse response) {
    if (response.on_stream && !head_) return start_stream(std::move(response));
    response_.emplace(static_cast<http::status>(response.status), version_);
    fill(*response_, response);
    if (!response.content_type.empty() && response.status != 204)
      response_->set(http::field::content_type, response.content_type);
    const auto size = response.body.size();
    if (head_) {
      response_->content_length(size);
    } else {
      response_->body() = std::move(response.body);
      response_->prepare_payload();
    }
    // Bytes that came before the answer would be pipelined requests.
    if (buffer_.size() > 0 || shared_.stopping) close_after_write_ = true;
    response_->keep_alive(keep_alive_ && !close_after_write_);
    lowest().expires_after(shared_.options.write_timeout);
    serializer_.emplace(*response_);
    if (head_) {
      http::async_write_header(stream_, *serializer_,
                               [self = this->shared_from_this()](error_code failure, std::size_t) {
                                 self->written(failure);
                               });
      return;
    }
    // A large body on a slow line gets its time from the progress that it makes.
    write_some();
  }

  void write_some() {
    lowest().expires_after(shared_.options.write_timeout);
    http::async_write_some(stream_, *serializer_,
                           [self = this->shared_from_this()](error_code failure, std::size_t) {
                             if (failure) return;
                             if (self->serializer_->is_done()) return self->written(failure);
                             self->write_some();
                           });
  }

  void written(error_code failure) {
    if (failure) return;
    if (!keep_alive_ || close_after_write_) return finish();
    response_.reset();
    read();
  }

  void finish() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
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
    response_.emplace(http::status::ok, 11);
    fill(*response_, response);
    response_->set(http::field::content_type, "text/event-stream");
    response_->set("X-Accel-Buffering", "no");
    response_->keep_alive(false);
    serializer_.emplace(*response_);
    writing_ = true;
    lowest().expires_after(shared_.options.write_timeout);
    http::async_write_header(stream_, *serializer_,
                             [self = this->shared_from_this()](error_code failure, std::size_t) {
                               self->writing_ = false;
                               if (failure) return self->abort();
                               self->watch();
                               self->write_next();
                               self->tick();
                             });
    response.on_stream(queue_);
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
    offset_ = 0;
    write_frame();
  }

  void write_frame() {
    lowest().expires_after(shared_.options.write_timeout);
    stream_.async_write_some(
        asio::buffer(frame_->data() + offset_, frame_->size() - offset_),
        [self = this->shared_from_this()](error_code failure, std::size_t count) {
          self->shared_.stream_bytes += count;
          self->offset_ += count;
          if (failure) {
            self->writing_ = false;
            self->queue_->detach();
            self->keepalive_.cancel();
            return self->abort();
          }
          if (self->offset_ < self->frame_->size()) return self->write_frame();
          self->writing_ = false;
          self->queue_->pop();
          self->write_next();
        });
  }

  Shared& shared_;
  std::shared_ptr<asio::ssl::context> context_;
  Stream stream_;
  Peer peer_;
  beast::flat_buffer buffer_{1U << 20};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  bool first_ = true;
  bool idle_ = false;
  bool keep_alive_ = false;
  bool close_after_write_ = false;
  bool head_ = false;
  unsigned version_ = 11;

  std::shared_ptr<StreamQueue> queue_;
  std::shared_ptr<const std::string> frame_;
  std::size_t offset_ = 0;
  bool writing_ = false;
  asio::steady_timer keepalive_;
  char ignored_[256];
};

// The TLS context of one door, built anew when one of its files changed.
class TlsContexts {
 public:
  explicit TlsContexts(ServerTls files) : files_(std::move(files)) {}

  Result<std::shared_ptr<asio::ssl::context>> get() {
    const std::string stamp =
        stamp_of(files_.certificate_file) + stamp_of(files_.key_file) +
        (files_.client_ca_file.empty() ? std::string() : stamp_of(files_.client_ca_file));
    if (context_ && stamp == stamp_) return context_;
    HIVE_ASSIGN(context_, build());
    stamp_ = stamp;
    return context_;
  }

 private:
  static std::string stamp_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return "-;";
    return std::to_string(status.st_ino) + "." + std::to_string(status.st_mtim.tv_sec) + "." +
           std::to_string(status.st_mtim.tv_nsec) + "." + std::to_string(status.st_size) + ";";
  }

  Result<std::shared_ptr<asio::ssl::context>> build() const {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    error_code failure;
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                             asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                             asio::ssl::context::no_tlsv1_1,
                         failure);
    const auto problem = [&failure](const std::string& path) {
      return fail(Errc::kFailedPrecondition, "TLS file " + path + ": " + failure.message());
    };
    context->use_certificate_chain_file(files_.certificate_file, failure);
    if (failure) return problem(files_.certificate_file);
    HIVE_ASSIGN(const std::string key, read_private_key(files_.key_file));
    context->use_private_key(asio::buffer(key), asio::ssl::context::pem, failure);
    if (failure) return problem(files_.key_file);
    if (!files_.client_ca_file.empty()) {
      context->load_verify_file(files_.client_ca_file, failure);
      if (failure) return problem(files_.client_ca_file);
      context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                               failure);
      if (failure) return problem(files_.client_ca_file);
    }
    return context;
  }

  ServerTls files_;
  std::shared_ptr<asio::ssl::context> context_;
  std::string stamp_;
};

// One listening socket.
class Door {
 public:
  virtual ~Door() = default;
  virtual void accept() = 0;
  virtual void close() = 0;
  virtual std::uint16_t port() const = 0;
};

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
      std::make_shared<Session<PlainStream>>(shared_, PlainStream(std::move(socket)),
                                             std::move(peer), nullptr)
          ->run();
    } else {
      ucred credentials{};
      socklen_t size = sizeof(credentials);
      if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
        peer.unix_uid = credentials.uid;
      std::make_shared<Session<UnixStream>>(shared_, UnixStream(std::move(socket)), std::move(peer),
                                            nullptr)
          ->run();
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
    std::make_shared<Session<TlsStream>>(
        shared_, TlsStream(PlainStream(std::move(socket)), **context), std::move(peer), *context)
        ->run();
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

}  // namespace

struct HttpServer::Impl {
  Shared shared;
  std::vector<std::unique_ptr<Door>> doors;
  std::vector<std::uint16_t> ports;
  std::thread thread;
  bool stopped = false;
};

HttpServer::HttpServer(ServerOptions options, Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->shared.options = options;
  impl_->shared.handler = std::move(handler);
}

HttpServer::~HttpServer() { stop(Milliseconds(0)); }

Status HttpServer::start(const std::vector<ListenAt>& doors) {
  auto& shared = impl_->shared;
  for (const auto& at : doors) {
    HIVE_ASSIGN(auto door, open_door(shared, at));
    impl_->ports.push_back(door->port());
    impl_->doors.push_back(std::move(door));
  }
  if (shared.options.workers > 0)
    shared.workers = std::make_unique<asio::thread_pool>(shared.options.workers);
  for (auto& door : impl_->doors) door->accept();
  impl_->thread = std::thread([this] {
    auto guard = asio::make_work_guard(impl_->shared.io);
    impl_->shared.io.run();
  });
  return {};
}

std::uint16_t HttpServer::port(std::size_t door) const {
  return door < impl_->ports.size() ? impl_->ports[door] : 0;
}

void HttpServer::stop(Milliseconds grace) {
  if (impl_->stopped) return;
  impl_->stopped = true;
  auto& shared = impl_->shared;
  shared.stopping = true;
  if (!impl_->thread.joinable()) {
    for (auto& door : impl_->doors) door->close();
    return;
  }
  asio::post(shared.io, [this] {
    for (auto& door : impl_->doors) door->close();
    std::vector<std::shared_ptr<Shared::SessionBase>> alive;
    for (auto& [raw, weak] : impl_->shared.sessions)
      if (auto session = weak.lock()) alive.push_back(std::move(session));
    for (auto& session : alive) session->end_soon();
  });
  {
    std::unique_lock lock(shared.mutex);
    shared.ended.wait_for(lock, grace, [&shared] { return shared.connections == 0; });
  }
  // Workers first: what they post afterwards is destroyed with the io_context.
  if (shared.workers) shared.workers->join();
  shared.io.stop();
  impl_->thread.join();
  for (auto& [raw, weak] : shared.sessions)
    if (auto session = weak.lock()) session->detach();
}

ServerCounters HttpServer::counters() const {
  const auto& shared = impl_->shared;
  return {shared.connections, shared.streams, shared.requests,
          shared.rejected,    shared.slow,    shared.stream_bytes};
}

std::string_view ServerRequest::header(std::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::shared_ptr<const std::string> EventStream::make_frame(std::string_view event,
                                                           std::string_view data) {
  auto frame = std::make_shared<std::string>();
  frame->reserve(event.size() + data.size() + 24);
  if (!event.empty()) frame->append("event: ").append(event).append("\n");
  for (;;) {
    const auto end = data.find('\n');
    frame->append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  frame->append("\n");
  return frame;
}

ServerResponse ServerResponse::json(std::string body, int status) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

ServerResponse ServerResponse::error(int status, std::string_view message) {
  std::string body = R"({"error":")";
  for (const char c : message) {
    if (c == '"' || c == '\\') body += '\\';
    body += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return json(body + "\"}\n", status);
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace hive::net
