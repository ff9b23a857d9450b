// The controller's three doors (docs/api.md): the open one only reads, the agents' wants a node
// certificate of this swarm, the root one is a private unix socket.
#pragma once

#include "controller/controller.h"
#include "net/http_server.h"

namespace hive::controller {

inline constexpr const char* kOpenDoor = "open";
inline constexpr const char* kAgentDoor = "agents";
inline constexpr const char* kRootDoor = "root";

// Answers by the door's name (net::Peer::listener). Any thread.
net::ServerResponse answer(Controller& controller, const net::ServerRequest& request);

}  // namespace hive::controller
