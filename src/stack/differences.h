// What hive deploys differently from `docker stack deploy`, each difference by name. The list is
// in docs/differences.md too, and a test holds the two together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stack/convert.h"

namespace hive::stack {

struct Difference {
  std::string_view name;
  std::string_view sentence;
};
const std::vector<Difference>& differences();

// What of the cluster decides on differences.
struct ClusterTraits {
  bool ip_vs = true;  // every node's kernel has IP_VS: virtual IPs and the routing mesh work
};

struct Applied {
  std::string service;  // name in the swarm
  std::string_view name;
  std::string detail;  // what was changed, in words
};

// Changes the services' specs in place and says what it changed. Applying twice changes nothing.
std::vector<Applied> apply_differences(const config::Spec& spec, const ClusterTraits& traits,
                                       Conversion& conversion);

}  // namespace hive::stack
