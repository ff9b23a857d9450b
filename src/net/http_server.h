// A small HTTP/1.1 server for the daemons: TCP, TCP with mutual TLS, unix sockets, and listening
// sockets that somebody else opened. Answers whole responses and server-sent events.
//
// Built on Boost Beast, which stays behind this header. One thread of the server's own reads and
// writes; handlers run on it, or on a bounded pool when ServerOptions::workers is not 0 (needed
// when a handler may block). Everything is bounded: sizes, connections, times, queues. Requests
// of one connection are answered one after the other (no pipelining).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hive::net {

struct ServerTls {
  std::string certificate_file;  // PEM, the chain
  std::string key_file;          // PEM
  // PEM; when set every client must show a certificate of this authority.
  std::string client_ca_file;
};

// One place to listen at: exactly one of `fd` (>= 0), `unix_path` and `address` is used.
struct ListenAt {
  std::string address;     // "0.0.0.0", "127.0.0.1", "::"
  std::uint16_t port = 0;  // 0 = chosen by the kernel, see HttpServer::port()
  std::string unix_path;   // a stale socket file at the path is replaced
  unsigned unix_mode = 0600;
  // A listening socket (TCP or unix); the server owns and closes it from start() on.
  int fd = -1;
  // The files are read again when they change, since Swarm renews its certificates.
  std::optional<ServerTls> tls;
  // Given back in Peer::listener, so that one handler can tell its doors apart.
  std::string name;
};

struct Peer {
  std::string listener;  // ListenAt::name
  std::string address;   // without port; empty for a unix socket
  // From the verified client certificate's subject; empty without TLS.
  std::string ou;
  std::string cn;
  std::optional<std::uint32_t> unix_uid;  // SO_PEERCRED
};

struct ServerRequest {
  std::string method;
  std::string path;                                 // percent-decoded, without the query
  std::map<std::string, std::string> query;         // decoded; the last of equal keys
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;
  Peer peer;
  // The first header of that (lower case) name, or empty.
  std::string_view header(std::string_view name) const;
};

// One client of a server-sent event stream. Safe from any thread; outlives its connection.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // False when the client is gone or was dropped because it reads too slowly.
  virtual bool push(std::string_view event, std::string_view data) = 0;
  // The same for a frame made once for many clients by make_frame().
  virtual bool push_frame(std::shared_ptr<const std::string> frame) = 0;
  virtual bool open() const = 0;
  // What is queued is still sent, then the connection is closed.
  virtual void close() = 0;

  // Newlines in `data` become several data lines, as the format wants it.
  static std::shared_ptr<const std::string> make_frame(std::string_view event,
                                                       std::string_view data);
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::multimap<std::string, std::string> headers;
  std::string body;
  // When set (with status 200) the response is an event stream and `body` is ignored; called once
  // on the server's thread when the headers are on their way.
  std::function<void(std::shared_ptr<EventStream>)> on_stream;

  static ServerResponse json(std::string body, int status = 200);
  // {"error": "..."}
  static ServerResponse error(int status, std::string_view message);
};

// Must not throw; what it throws all the same becomes a 500.
using Handler = std::function<ServerResponse(const ServerRequest&)>;

struct ServerOptions {
  std::size_t max_header_bytes = 32U << 10;
  std::size_t max_body_bytes = 4U << 20;
  std::size_t max_connections = 1'024;  // one more is closed at once
  Milliseconds read_timeout{15'000};    // for a whole request, once begun
  Milliseconds idle_timeout{60'000};    // between requests
  Milliseconds write_timeout{15'000};   // for one write
  Milliseconds keepalive{5'000};        // ": ping" on an event stream
  // A stream whose client has this much unread is dropped; a first frame may be larger.
  std::size_t max_stream_queue_bytes = 16U << 20;
  unsigned workers = 0;
  std::size_t max_queued_requests = 256;  // for the workers; beyond: 503
};

struct ServerCounters {
  std::uint64_t connections = 0;  // open now
  std::uint64_t streams = 0;      // open now
  std::uint64_t requests_total = 0;
  std::uint64_t rejected_total = 0;  // connections over the bound, failed TLS handshakes
  std::uint64_t slow_streams_dropped_total = 0;
  std::uint64_t stream_bytes_total = 0;  // handed to the kernel on event streams
};

class HttpServer {
 public:
  HttpServer(ServerOptions options, Handler handler);
  ~HttpServer();  // as stop(0)
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Opens all doors or none. kAlreadyExists: the address is in use. Called once.
  Status start(const std::vector<ListenAt>& doors);
  // The port really bound at the n-th door; 0 for a unix socket.
  std::uint16_t port(std::size_t door = 0) const;
  // No new connections; streams and idle connections end now, requests being answered get `grace`.
  // Not from a handler. Idempotent.
  void stop(Milliseconds grace = Milliseconds(2'000));
  ServerCounters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "%41+b" -> "A+b" ('+' stays: only forms use it); malformed escapes stay as they are.
std::string percent_decode(std::string_view text);

}  // namespace hive::net
