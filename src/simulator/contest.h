// Policies side by side on one load, and beside the offline optimum.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "simulator/load.h"
#include "simulator/optimum.h"
#include "simulator/policy.h"
#include "simulator/service_policy.h"
#include "simulator/world.h"

namespace hive::simulator {

struct ContestOptions {
  WorldOptions world;
  double objective = 0.001;  // share of the demand that may stay unserved
  bool predict = true;       // hive's seasons and clock
  // A service's own policy: hive decides by it, schedules and limits included, instead of by the
  // world's bounds alone.
  std::optional<decide::autoscale::Policy> service;
  ZoneOffsets zones;                  // of its schedules
  std::vector<std::string> policies;  // names of known_policies()
};

struct KnownPolicy {
  std::string_view name;
  std::string_view summary;
  bool hindsight = false;  // its target is chosen on this very load
};
const std::vector<KnownPolicy>& known_policies();
// Those that `hive simulate` shows unless told otherwise.
std::vector<std::string> usual_policies();
// kInvalidArgument with what was probably meant.
Status check_policies(const std::vector<std::string>& names);

struct Entry {
  std::string name;
  Outcome outcome;
  double target = 0;             // that was chosen in hindsight; 0: none
  bool reached = false;          // the objective
  double competitive_ratio = 0;  // node-seconds by the optimum's bound
};

struct Contest {
  Optimum best;
  Optimum best_without_delay;  // of Gandhi et al.: starts cost nothing
  double novel = 0;            // novel_share(): what no past foretold
  std::vector<Entry> entries;
};

// The optimum's view of the same world: whole nodes.
OptimumOptions optimum_options(const ContestOptions& options);

// One policy. `best`: optimum() for these options.
Result<Entry> run_policy(const Load& load, const ContestOptions& options, const std::string& name,
                         const Optimum& best);
// All of options.policies, in order.
Result<Contest> run_contest(const Load& load, const ContestOptions& options);

}  // namespace hive::simulator
