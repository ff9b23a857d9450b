// What `hive simulate` says: a table, JSON, and a chart.
#pragma once

#include <string>

#include "base/json.h"
#include "cli/simulate_input.h"
#include "simulator/chart.h"
#include "simulator/contest.h"

namespace hive::cli {

std::string simulate_table(const SimulateInput& input, const simulator::Contest& contest);
Json simulate_json(const SimulateInput& input, const simulator::Contest& contest);
// Needs outcomes with their supply.
simulator::Chart simulate_chart(const SimulateInput& input, const simulator::Contest& contest);

}  // namespace hive::cli
