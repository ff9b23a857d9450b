// Looks at what there is. Read-only calls; the results are values for the planner.
#pragma once

#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/desired.h"
#include "cloud/aws/world.h"

namespace hive::cloud::aws {

// The VPC, the subnets and the image that the settings name. kNotFound and kInvalidArgument say
// which of them is missing or ambiguous, and what there is.
Result<Place> find_place(Client& client, const Settings& settings);

// All that is there of the cluster. `repositories`: those that the configuration names; others are
// not looked for.
Result<World> observe(Client& client, const Names& names,
                      const std::vector<std::string>& repositories);

}  // namespace hive::cloud::aws
