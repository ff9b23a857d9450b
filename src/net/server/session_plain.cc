#include "net/server/session_of.h"

namespace hive::net::server {

void serve_plain(Shared& shared, PlainStream::socket_type socket, Peer peer) {
  std::make_shared<Session<PlainStream>>(shared, PlainStream(std::move(socket)), std::move(peer),
                                         nullptr)
      ->run();
}

}  // namespace hive::net::server
