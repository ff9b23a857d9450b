// TLS files that change while the server runs. Internal to HttpServer.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "net/http_server.h"

namespace hive::net::server {

namespace asio = boost::asio;

// The TLS context of one door, built anew when one of its files changed. Only on the io thread.
class TlsContexts {
 public:
  explicit TlsContexts(ServerTls files) : files_(std::move(files)) {}

  Result<std::shared_ptr<asio::ssl::context>> get();

 private:
  Result<std::shared_ptr<asio::ssl::context>> build() const;

  ServerTls files_;
  std::shared_ptr<asio::ssl::context> context_;
  std::string stamp_;
};

}  // namespace hive::net::server
