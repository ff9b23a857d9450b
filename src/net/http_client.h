// Outbound HTTP for every adapter, on libcurl: TCP, TLS with client certificates, unix sockets.
// Blocking, with a deadline on every call. A client is safe to share between threads; connections
// are kept alive and reused.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hive::net {

// Header names are lower case.
using Headers = std::multimap<std::string, std::string>;

struct TlsOptions {
  std::string ca_file;           // PEM; empty = the system's
  std::string certificate_file;  // PEM; client certificate, with key_file
  std::string key_file;
  // Swarm's node certificates carry no host names: the chain and the subject's OU are checked
  // instead of the name. Empty = ordinary host name verification.
  std::string required_peer_ou;
};

struct Target {
  std::string base_url;  // "http://10.0.0.1:2375", "https://..."; for a unix socket "http://host"
  std::string unix_socket;  // path; empty = TCP
  TlsOptions tls;
};

struct Response;

struct Request {
  std::string method = "GET";
  std::string path;  // with query, percent-encoded
  Headers headers;
  std::string body;
  // Read in pieces instead of `body` when set: returns the bytes put into the buffer, 0 at the end.
  std::function<Result<std::size_t>(char*, std::size_t)> body_source;
  Milliseconds deadline{10'000};  // for the whole exchange; for stream(), until headers
  std::size_t max_response_bytes = 256U << 20;
  // Called once when status and headers are there, before the body.
  std::function<void(const Response&)> on_headers;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(Target target);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any HTTP status is a success here; what it means is the adapter's business.
  // kUnavailable: no connection, reset, half a response. kDeadlineExceeded. kCorrupt: not HTTP.
  // kResourceExhausted: more than max_response_bytes. kUnauthenticated: the peer's certificate.
  Result<Response> send(const Request& request);

  // Hands the body on as it comes, until it ends, the callback returns false, `stop` is requested,
  // or nothing arrives for `idle_timeout` (0 = wait for ever). The response has no body for a 2xx;
  // any other status is returned with its body and without calls.
  Result<Response> stream(const Request& request,
                          const std::function<bool(std::string_view)>& on_bytes,
                          const std::stop_token& stop, Milliseconds idle_timeout = Milliseconds(0));

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string percent_encode(std::string_view text);

}  // namespace hive::net
