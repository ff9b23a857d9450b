// Labels every node with the availability zone that its machine is in (model::kZoneLabel), so that
// Swarm can spread a service over zones. What EC2 says of the machine counts; a label that somebody
// changed is set right, and nodes whose machine EC2 does not list keep what they have.
//
// EC2 is asked when there is a node whose zone this manager does not know yet; once a minute where
// it has no machine for one. No thread of its own.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/names.h"
#include "controller/warnings.h"
#include "engine/engine.h"

namespace hive::controller {

class NodeZones {
 public:
  // The cluster's machines.
  using Machines = std::function<Result<std::vector<cloud::aws::Machine>>()>;
  // Engine and clock outlive it.
  NodeZones(engine::Engine& engine, const Clock& clock, cloud::aws::Names names, Machines machines)
      : engine_(engine), clock_(clock), names_(std::move(names)), machines_(std::move(machines)) {}

  // While this manager acts for the Swarm, as often as one likes.
  void turn();

 private:
  void ask(const std::vector<model::Node>& nodes);
  void label(const model::Node& node, const std::string& zone);

  engine::Engine& engine_;
  const Clock& clock_;
  const cloud::aws::Names names_;
  const Machines machines_;
  std::map<std::string, std::string> zones_;  // by node id, as EC2 said
  std::set<std::string> unknown_;             // node ids that EC2 had no machine for
  MonotonicTime asked_at_{};
  Warnings warnings_{"zones"};
};

}  // namespace hive::controller
