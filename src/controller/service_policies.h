// How a service wants to be stopped, rolled out and scaled, and its log lines kept: from its label
// hive.x.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/compose.h"
#include "model/cluster.h"
#include "model/log_policy.h"
#include "model/stop_policy.h"

namespace hive::controller {

struct ServicePolicies {
  model::StopPolicy stop;
  model::LogPolicy logs;
  config::Rollout rollout;
  std::optional<config::Autoscale> autoscale;
};

// Remembers what it has read: labels are the same at each tick. Not thread-safe.
class PolicyReader {
 public:
  // The defaults for a service without the label, or with one that cannot be read.
  ServicePolicies of(const model::Service& service);
  // It costs next to nothing: a label with this text was read.
  bool knows(const std::string& label) const { return known_.contains(label); }

 private:
  std::map<std::string, ServicePolicies> known_;  // by the label's text
};

}  // namespace hive::controller
