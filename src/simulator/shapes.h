// Loads made up: for trying a policy out before there is a log of one's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "simulator/load.h"

namespace hive::simulator {

struct Shape {
  std::string_view name;
  std::string_view summary;
  std::size_t seconds;
};

// "step", "ramp", "day", "burst", "week".
const std::vector<Shape>& shapes();

// Requests between `low` and `high` a second, drawn around the shape as those of coarse traces are.
// kInvalidArgument naming the known ones.
Result<Load> make_shape(std::string_view name, double low, double high, Random& random);

}  // namespace hive::simulator
