#include "net/server/session_of.h"

namespace hive::net::server {

void serve_tls(Shared& shared, PlainStream::socket_type socket, Peer peer,
               const std::shared_ptr<asio::ssl::context>& context) {
  std::make_shared<Session<TlsStream>>(shared, TlsStream(PlainStream(std::move(socket)), *context),
                                       std::move(peer), context)
      ->run();
}

}  // namespace hive::net::server
