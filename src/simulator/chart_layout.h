// Where the parts of a chart are, for each way to draw it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "simulator/chart.h"

namespace hive::simulator {

inline constexpr int kWidth = 1000;
inline constexpr int kHeight = 440;
inline constexpr int kLeft = 70;
inline constexpr int kTop = 60;
inline constexpr int kPlotHeight = 320;
inline constexpr int kPlotWidth = 900;

struct Colour {
  std::uint8_t red, green, blue;
};
inline constexpr Colour kDemandColour{208, 215, 226};
inline constexpr std::array<Colour, kMostLines> kLineColours{{{214, 69, 65},
                                                              {31, 119, 180},
                                                              {44, 160, 44},
                                                              {148, 103, 189},
                                                              {255, 127, 14},
                                                              {23, 190, 207},
                                                              {140, 86, 75},
                                                              {127, 127, 127}}};

// The round number at or above the largest value.
double top_of(const Chart& chart);
double column_x(const Chart& chart, std::size_t column);
double value_y(double value, double top);

}  // namespace hive::simulator
