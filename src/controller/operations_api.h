// The API's part for operations: /v1/operations on the root door of every manager. A controller
// that does not lead passes the request on to the one that does, through that one's agents' door,
// with this manager's own node certificate.
#pragma once

#include <string>

#include "base/json.h"
#include "controller/controller.h"
#include "controller/operations.h"
#include "net/http_server.h"

namespace hive::controller {

inline constexpr const char* kOperationsPath = "/v1/operations";

bool is_operations_path(const std::string& path);

// For requests that this controller answers itself; 503 naming the leader when it is not the one
// that acts. Any thread; blocks for an engine call.
net::ServerResponse answer_operations(const Controller& controller, Operations& operations,
                                      const net::ServerRequest& request);

// Sends the request to the leader's controller. `certificates`: the directory of Swarm's.
net::ServerResponse forward_operations(const Controller& controller,
                                       const std::string& certificates,
                                       const net::ServerRequest& request);

// 503 that says where the leader is.
net::ServerResponse not_leader(const Controller& controller);

// The JSON and a newline; U+FFFD stands for what is no UTF-8.
net::ServerResponse json_response(const Json& json, int status = 200);

// {"error", "code"}, with the status that fits.
net::ServerResponse error_response(const Error& error);

}  // namespace hive::controller
