// What `hive simulate` is asked for: the load, the world and the policies, from the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "simulator/contest.h"

namespace hive::cli {

class Context;

struct SimulateArgs {
  std::optional<std::string> trace, access_log, shape;
  std::optional<std::string> low, high;
  std::vector<std::string> files;
  std::optional<std::string> service;
  std::optional<std::string> min, max, capacity, density;
  std::optional<std::string> boot, container_start, latency;
  std::optional<std::string> objective, seed, policies;
  bool no_predict = false;
  std::optional<std::string> svg, png, format;
};

void declare_simulate(Declare& declare, SimulateArgs& args);

struct SimulateInput {
  simulator::Load load;
  simulator::ContestOptions options;
  std::vector<std::string> notes;  // for the user: what was assumed, lines that were passed over
};

// kInvalidArgument and kNotFound name the option, or file and line. Faults of a Compose file are
// printed by load_compose(); the error then only says so.
Result<SimulateInput> read_simulate_input(Context& context, const SimulateArgs& args);

}  // namespace hive::cli
