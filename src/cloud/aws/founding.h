// Who begins the Swarm: the rule, pure. The operator names one manager, once; a founder that ended
// before there was a Swarm is replaced; where there is a Swarm, nobody ever begins another.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/aws/board.h"
#include "cloud/aws/ec2.h"

namespace hive::cloud::aws {

struct Founding {
  bool forget = false;  // first take the old founder's name off the board
  std::string name;     // put this instance's there; empty: nothing to do
  bool operator==(const Founding&) const = default;
};
// kFailedPrecondition: there is a Swarm, but none of its managers' machines; or no manager's
// machine at all.
Result<Founding> decide_founding(const std::optional<SwarmPlace>& swarm,
                                 const std::optional<std::string>& founder,
                                 const std::vector<Machine>& machines);

}  // namespace hive::cloud::aws
