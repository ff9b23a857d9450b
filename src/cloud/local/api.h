// The port Cloud as JSON over HTTP: the forms shared by the daemon and its client.
#pragma once

#include <string>

#include "base/json.h"
#include "cloud/cloud.h"

namespace hive::cloud::local {

Json to_json(const Instance& instance);
Instance instance_from(const Json& json);
Json to_json(const LaunchRequest& request);
LaunchRequest launch_from(const Json& json);
Json to_json(const SwarmPlace& place);
SwarmPlace swarm_place_from(const Json& json);
Json to_json(const BalancerSpec& spec);
BalancerSpec balancer_spec_from(const Json& json);
Json to_json(const BalancerStatus& status);
BalancerStatus balancer_status_from(const Json& json);
Json to_json(const Error& error);
Error error_from(const std::string& body, int status);

}  // namespace hive::cloud::local
