#include "simulator/shapes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/text.h"
#include "simulator/draw.h"
#include "simulator/load.h"
#include "simulator/trace.h"

namespace hive::simulator {
namespace {

constexpr std::size_t kDay = 24 * kHour;
// A Monday, so that a week's shape begins with one.
constexpr std::int64_t kStart = 1'704'067'200;

// From 0 in the night to 1 in the afternoon.
double of_day(std::size_t second) {
  const double turn = static_cast<double>(second % kDay) / static_cast<double>(kDay);
  return 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (turn - 1.0 / 8));
}

// Share of the way from low to high.
double height(std::string_view name, std::size_t t, std::size_t seconds) {
  const double part = static_cast<double>(t) / static_cast<double>(seconds);
  if (name == "step") return part < 1.0 / 3 || part >= 2.0 / 3 ? 0 : 1;
  if (name == "ramp") return part < 0.5 ? 2 * part : 2 - 2 * part;
  if (name == "day") return of_day(t);
  if (name == "week") return of_day(t) * (t / kDay % 7 < 5 ? 1 : 0.6);
  // burst: a quiet day with five minutes of everything at two past each second hour
  return t % (2 * kHour) >= 120 && t % (2 * kHour) < 420 ? 1 : 0.15 * of_day(t);
}

}  // namespace

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all{
      {"step", "an hour: low, then at once high for a third of it, then low", kHour},
      {"ramp", "two hours: evenly up from low to high, and down", 2 * kHour},
      {"day", "three days with their nights", 3 * kDay},
      {"week", "two weeks, weekends lower", 14 * kDay},
      {"burst", "three quiet days with five minutes of high at 00:02, 02:02 ...", 3 * kDay}};
  return all;
}

Result<Load> make_shape(std::string_view name, double low, double high, Random& random) {
  std::vector<std::string> names;
  for (const Shape& shape : shapes()) {
    names.emplace_back(shape.name);
    if (shape.name != name) continue;
    Load out{.name = std::string(name), .start = kStart};
    out.requests.resize(shape.seconds);
    for (std::size_t t = 0; t < shape.seconds; ++t)
      out.requests[t] = static_cast<float>(draw_negative_binomial(
          random, low + (high - low) * height(name, t, shape.seconds), kDispersion));
    return out;
  }
  const auto near = did_you_mean(name, names);
  return fail(Errc::kInvalidArgument,
              fmt::format("'{}' is no shape{}: there are {}", name,
                          near ? " (did you mean " + *near + "?)" : "", join(names, ", ")));
}

}  // namespace hive::simulator
