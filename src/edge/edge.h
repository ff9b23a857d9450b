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
  // after an error the next call starts from what the proxy really has. What of the table cannot be
  // served (a broken certificate, a port that is taken) is left out and is no error: see faults().
  // kUnavailable: the proxy does not answer (it is restarted by the next apply()).
  virtual Status apply(const model::RoutingTable& table) = 0;
  // What of the last table is not served, and why, for people; empty = all of it is.
  virtual std::vector<std::string> faults() const = 0;
  // Stops new requests to the task at once; open ones finish. Quicker than a new table.
  virtual Status drain(const std::string& task_id) = 0;
  virtual Result<model::EdgeStats> stats() = 0;
  // Takes back drain(): the task is probed anew and then admitted if the table has it.
  virtual Status readmit(const std::string& task_id) = 0;
  // While leaving, the health check that the balancer in front asks fails, and all else goes on.
  virtual Status set_leaving(bool leaving) = 0;
  // Cheap; to be called several times a second: starts the proxy again, whole, when it has died.
  virtual Status keep_alive() = 0;
  // Tasks of the table that did not answer the edge's own probe yet and so get no request.
  virtual std::vector<std::string> not_ready() const = 0;
  // Ends the proxy that this edge started. Without it the proxy survives this object, and the next
  // edge over the same directory adopts it.
  virtual Status shutdown() = 0;
};

}  // namespace hive::edge
