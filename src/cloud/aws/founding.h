// Who begins the Swarm: the rules, pure. The operator names one manager, once; a founder that ended
// before there was a Swarm is replaced; where there is a Swarm, nobody ever begins another. Where
// its quorum is gone for good, a person begins it anew from what one manager knows.
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

// What to do where the machines of so many of the Swarm's managers are gone that the others are no
// quorum; empty where they are one, or where none is left. By the board's last word, which is true
// only while no manager speaks: the Swarm cannot change its managers then.
std::string quorum_repair(const std::optional<SwarmPlace>& swarm,
                          const std::vector<Machine>& machines);

}  // namespace hive::cloud::aws
