// What the parts of an HTTP server share. Internal to HttpServer.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "net/http_server.h"

namespace hive::net::server {

namespace asio = boost::asio;
using boost::system::error_code;

inline constexpr std::string_view kComponent = "http";

// One connection, as the server sees it: only on the io thread.
class SessionBase {
 public:
  virtual ~SessionBase() = default;
  // Ends now when idle or streaming, else after the response under way.
  virtual void end_soon() = 0;
  // No push may reach the server from now on.
  virtual void detach() = 0;
};

// Counters are read from any thread.
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
  std::unordered_map<SessionBase*, std::weak_ptr<SessionBase>> sessions;

  std::unique_ptr<asio::thread_pool> workers;
  // Last: sessions live in its handlers and use the members above until they end.
  asio::io_context io{1};
};

}  // namespace hive::net::server
