// The port to this node's edge: the proxy that takes requests at the node's listener ports and
// hands them to tasks, its own node's first. Adapter: haproxy/. Steered by the node's agent alone.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/routing.h"

namespace hive::edge {

class Edge {
 public:
  virtual ~Edge() = default;
  // Makes the proxy equal to the table. Changes of endpoints alone need no reload. Idempotent;
  // after an error the next call starts from what the proxy really has.
  // kUnavailable: the proxy does not answer (it is restarted by the next apply()).
  virtual Status apply(const model::RoutingTable& table) = 0;
  // Stops new requests to the task at once; open ones finish. Quicker than a new table.
  virtual Status drain(const std::string& task_id) = 0;
  virtual Result<std::vector<model::EndpointStats>> stats() = 0;
  // Ends the proxy that this edge started.
  virtual Status shutdown() = 0;
};

}  // namespace hive::edge
