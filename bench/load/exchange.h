// One connection of the load: opens, sends a request, reads the answer, and says what came of it.
// Nothing is ever sent twice. Non-blocking; for one thread, driven by epoll.
#pragma once

#include <netinet/in.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>

#include "load/plan.h"

namespace hive::bench {

struct Outcome {
  int status = 0;         // 0 = no answer
  std::size_t bytes = 0;  // of the answer's body
  std::string error;      // empty = as it should be
};

class Exchange {
 public:
  // Begins to connect. A failure is told by the first step().
  Exchange(const sockaddr_in& to, std::string host);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  int fd() const { return fd_; }
  bool busy() const { return request_.has_value(); }
  const Planned& request() const { return *request_; }

  void begin(Planned request);
  // Goes on as far as it can; an outcome when the request ended, well or not.
  std::optional<Outcome> step();
  // After an outcome: whether another request may use this connection.
  bool reusable() const { return reusable_; }
  // For an idle connection: whether the other side has closed it, or sent what nobody asked for.
  bool stale() const;

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;

  std::optional<Outcome> send_rest();
  std::optional<Outcome> read_some();
  std::optional<Outcome> parse(bool ended);
  Outcome judge();
  Outcome failed(std::string why);

  int fd_ = -1;
  int open_error_ = 0;
  std::string host_;
  std::optional<Planned> request_;
  std::string out_;  // not sent yet
  std::string in_;   // not parsed yet
  std::unique_ptr<Parser> parser_;
  bool connected_ = false;
  bool reusable_ = false;
};

}  // namespace hive::bench
