// Listening sockets. Internal to HttpServer.
#pragma once

#include <cstdint>
#include <memory>

#include "net/server/shared.h"

namespace hive::net::server {

// One listening socket. On the io thread, but for port().
class Door {
 public:
  virtual ~Door() = default;
  virtual void accept() = 0;
  virtual void close() = 0;
  virtual std::uint16_t port() const = 0;
};

// kAlreadyExists: the address is in use.
Result<std::unique_ptr<Door>> open_door(Shared& shared, const ListenAt& at);

}  // namespace hive::net::server
