// A chart of demand and supplies over time, as SVG text and as PNG bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/load.h"

namespace hive::simulator {

// A line of the chart, one value a column.
struct Series {
  std::string name;
  std::vector<double> values;
};

struct Chart {
  std::string title;
  std::string unit;   // of the values
  std::string begin;  // under the left and the right end
  std::string end;
  std::vector<double> demand;  // a filled area: the most of each column
  std::vector<Series> lines;   // at most kMostLines are drawn
};

inline constexpr std::size_t kColumns = 900;
inline constexpr std::size_t kMostLines = 8;

// The most of each column: at most kColumns of them, each the same number of seconds.
template <typename Value>
std::vector<double> columns_of(const std::vector<Value>& values, double factor) {
  std::vector<double> out;
  const std::size_t columns = values.size() < kColumns ? values.size() : kColumns;
  for (std::size_t c = 0; c < columns; ++c) {
    double most = 0;
    const std::size_t end = (c + 1) * values.size() / columns;
    for (std::size_t i = c * values.size() / columns; i < end; ++i) {
      const double value = static_cast<double>(values[i]) * factor;
      if (value > most) most = value;
    }
    out.push_back(most);
  }
  return out;
}

std::string to_svg(const Chart& chart);
// Letters are drawn in capitals; what is no letter, figure or -./:%_() is left blank.
std::string to_png(const Chart& chart);

}  // namespace hive::simulator
