#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "simulator/chart_layout.h"

namespace hive::simulator {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

std::string css(Colour colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

std::string text(double x, double y, const char* anchor, const std::string& words) {
  return fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escaped(words));
}

// A staircase: a value holds for its column. Columns that repeat the value add no point.
std::string stairs(const Chart& chart, const std::vector<double>& values, double top) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double y = value_y(values[i], top);
    const bool turns = i == 0 || values[i] != values[i - 1];
    if (turns && i > 0)
      out += fmt::format("{:.1f},{:.1f} ", column_x(chart, i), value_y(values[i - 1], top));
    if (turns) out += fmt::format("{:.1f},{:.1f} ", column_x(chart, i), y);
  }
  if (!values.empty())
    out +=
        fmt::format("{:.1f},{:.1f}", column_x(chart, values.size()), value_y(values.back(), top));
  return out;
}

std::string axes(const Chart& chart, double top) {
  std::string out;
  for (int i = 0; i <= 4; ++i) {
    const double value = top * i / 4;
    const double y = value_y(value, top);
    out +=
        fmt::format("<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#e5e5e5\"/>\n",
                    kLeft, kLeft + kPlotWidth, y, y);
    out += text(kLeft - 6, y + 4, "end", fmt::format("{:g}", value));
  }
  out += text(kLeft, kTop + kPlotHeight + 18, "start", chart.begin);
  out += text(kLeft + kPlotWidth, kTop + kPlotHeight + 18, "end", chart.end);
  return out;
}

std::string legend(const Chart& chart) {
  const double y = kTop + kPlotHeight + 42;
  double x = kLeft;
  const auto entry = [&](const std::string& name, Colour colour) {
    std::string out =
        fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"14\" height=\"8\" fill=\"{}\"/>\n", x,
                    y - 8, css(colour));
    out += text(x + 18, y, "start", name);
    x += 34 + 7.0 * static_cast<double>(name.size());
    return out;
  };
  std::string out = entry("demand", kDemandColour);
  for (std::size_t i = 0; i < std::min(chart.lines.size(), kMostLines); ++i)
    out += entry(chart.lines[i].name, kLineColours[i]);
  return out;
}

}  // namespace

double top_of(const Chart& chart) {
  double most = 1e-9;
  for (const double value : chart.demand) most = std::max(most, value);
  for (const Series& line : chart.lines)
    for (const double value : line.values) most = std::max(most, value);
  const double power = std::pow(10, std::floor(std::log10(most)));
  for (const double step : {1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.0, 8.0, 10.0})
    if (most <= step * power * (1 + 1e-9)) return step * power;
  return 10 * power;
}

double column_x(const Chart& chart, std::size_t column) {
  const auto columns = static_cast<double>(std::max<std::size_t>(1, chart.demand.size()));
  return kLeft + static_cast<double>(column) / columns * kPlotWidth;
}

double value_y(double value, double top) {
  return kTop + kPlotHeight * (1 - std::clamp(value / top, 0.0, 1.0));
}

std::string to_svg(const Chart& chart) {
  const double top = top_of(chart);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      kWidth, kHeight);
  out += text(kLeft, 24, "start", chart.title) + text(kLeft, 46, "start", chart.unit);
  out += axes(chart, top);
  out += fmt::format("<polygon fill=\"{}\" points=\"{},{} {} {:.1f},{}\"/>\n", css(kDemandColour),
                     kLeft, kTop + kPlotHeight, stairs(chart, chart.demand, top),
                     column_x(chart, chart.demand.size()), kTop + kPlotHeight);
  // The first line is drawn last, on top of the others.
  for (std::size_t i = std::min(chart.lines.size(), kMostLines); i-- > 0;)
    out +=
        fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"{}\"/>\n",
                    css(kLineColours[i]), stairs(chart, chart.lines[i].values, top));
  return out + legend(chart) + "</svg>\n";
}

}  // namespace hive::simulator
