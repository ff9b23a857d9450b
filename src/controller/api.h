// The controller's three doors (docs/api.md): the open one only reads, the agents' wants a node
// certificate of this swarm, the root one is a private unix socket.
#pragma once

#include <string>

#include "controller/autoscaling.h"
#include "controller/controller.h"
#include "controller/instance_scaling.h"
#include "controller/operations.h"
#include "net/http_server.h"

namespace hive::controller {

inline constexpr const char* kOpenDoor = "open";
inline constexpr const char* kAgentDoor = "agents";
inline constexpr const char* kRootDoor = "root";

struct Api {
  Controller& controller;
  Operations& operations;
  const Autoscaling& autoscaling;
  const InstanceScaling& instances;
  std::string certificates;  // directory with Swarm's, to speak to the leader
};

// Answers by the door's name (net::Peer::listener). Any thread; may block for seconds on the way to
// the engine or to the leader's controller.
net::ServerResponse answer(const Api& api, const net::ServerRequest& request);

}  // namespace hive::controller
