// For tests: an HTTP server whose every byte is the test's, so that it can answer canned, garbage,
// half, or never. Listens on a unix socket in a directory of its own or on a loopback TCP port.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace hive::net::testing {

struct ScriptedRequest {
  std::string method;
  std::string path;                            // with query
  std::map<std::string, std::string> headers;  // lower case names
  std::string body;                            // chunked bodies are put together
  int connection = 0;                          // counts connections from 1
};

struct Reply {
  std::vector<std::string> pieces;  // raw bytes, each written by itself
  enum class Then { kKeepOpen, kClose, kHang } then = Then::kKeepOpen;
};

// "HTTP/1.1 200 OK" with Content-Length and the headers given ("Name: value\r\n" each).
Reply answer(int status, const std::string& body, const std::string& headers = "");
Reply json_answer(int status, const std::string& body);

class ScriptedServer {
 public:
  using Handler = std::function<Reply(const ScriptedRequest&)>;
  enum class Kind { kUnix, kTcp };
  // The handler runs on the connections' threads.
  ScriptedServer(Kind kind, Handler handler);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  const std::string& socket_path() const { return socket_path_; }
  int port() const { return port_; }
  int connections() const { return connections_; }
  std::vector<ScriptedRequest> requests() const;

 private:
  void accept_loop();
  void serve(int fd, int number);
  bool read_request(int fd, std::string& buffer, ScriptedRequest& request);
  bool write_reply(int fd, const Reply& reply);

  Handler handler_;
  std::string directory_;
  std::string socket_path_;
  int port_ = 0;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<ScriptedRequest> requests_;
  std::thread acceptor_;
};

}  // namespace hive::net::testing
