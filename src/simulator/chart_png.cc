#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string_view>
#include <vector>

#include "simulator/chart_layout.h"

namespace hive::simulator {
namespace {

// Letters of 5 by 7 dots, a byte a column, the lowest bit on top.
struct Glyph {
  char letter;
  std::array<std::uint8_t, 5> columns;
};
constexpr Glyph kGlyphs[] = {
    {'0', {0x3E, 0x51, 0x49, 0x45, 0x3E}}, {'1', {0x00, 0x42, 0x7F, 0x40, 0x00}},
    {'2', {0x42, 0x61, 0x51, 0x49, 0x46}}, {'3', {0x21, 0x41, 0x45, 0x4B, 0x31}},
    {'4', {0x18, 0x14, 0x12, 0x7F, 0x10}}, {'5', {0x27, 0x45, 0x45, 0x45, 0x39}},
    {'6', {0x3C, 0x4A, 0x49, 0x49, 0x30}}, {'7', {0x01, 0x71, 0x09, 0x05, 0x03}},
    {'8', {0x36, 0x49, 0x49, 0x49, 0x36}}, {'9', {0x06, 0x49, 0x49, 0x29, 0x1E}},
    {'A', {0x7E, 0x11, 0x11, 0x11, 0x7E}}, {'B', {0x7F, 0x49, 0x49, 0x49, 0x36}},
    {'C', {0x3E, 0x41, 0x41, 0x41, 0x22}}, {'D', {0x7F, 0x41, 0x41, 0x22, 0x1C}},
    {'E', {0x7F, 0x49, 0x49, 0x49, 0x41}}, {'F', {0x7F, 0x09, 0x09, 0x09, 0x01}},
    {'G', {0x3E, 0x41, 0x49, 0x49, 0x7A}}, {'H', {0x7F, 0x08, 0x08, 0x08, 0x7F}},
    {'I', {0x00, 0x41, 0x7F, 0x41, 0x00}}, {'J', {0x20, 0x40, 0x41, 0x3F, 0x01}},
    {'K', {0x7F, 0x08, 0x14, 0x22, 0x41}}, {'L', {0x7F, 0x40, 0x40, 0x40, 0x40}},
    {'M', {0x7F, 0x02, 0x0C, 0x02, 0x7F}}, {'N', {0x7F, 0x04, 0x08, 0x10, 0x7F}},
    {'O', {0x3E, 0x41, 0x41, 0x41, 0x3E}}, {'P', {0x7F, 0x09, 0x09, 0x09, 0x06}},
    {'Q', {0x3E, 0x41, 0x51, 0x21, 0x5E}}, {'R', {0x7F, 0x09, 0x19, 0x29, 0x46}},
    {'S', {0x46, 0x49, 0x49, 0x49, 0x31}}, {'T', {0x01, 0x01, 0x7F, 0x01, 0x01}},
    {'U', {0x3F, 0x40, 0x40, 0x40, 0x3F}}, {'V', {0x1F, 0x20, 0x40, 0x20, 0x1F}},
    {'W', {0x3F, 0x40, 0x38, 0x40, 0x3F}}, {'X', {0x63, 0x14, 0x08, 0x14, 0x63}},
    {'Y', {0x07, 0x08, 0x70, 0x08, 0x07}}, {'Z', {0x61, 0x51, 0x49, 0x45, 0x43}},
    {'-', {0x08, 0x08, 0x08, 0x08, 0x08}}, {'.', {0x00, 0x60, 0x60, 0x00, 0x00}},
    {',', {0x00, 0x50, 0x30, 0x00, 0x00}}, {'/', {0x20, 0x10, 0x08, 0x04, 0x02}},
    {':', {0x00, 0x36, 0x36, 0x00, 0x00}}, {'%', {0x23, 0x13, 0x08, 0x64, 0x62}},
    {'_', {0x40, 0x40, 0x40, 0x40, 0x40}}, {'(', {0x00, 0x1C, 0x22, 0x41, 0x00}},
    {')', {0x00, 0x41, 0x22, 0x1C, 0x00}}, {'+', {0x08, 0x08, 0x3E, 0x08, 0x08}}};

constexpr int kLetter = 7;  // pixels from letter to letter at scale 1

class Canvas {
 public:
  Canvas() : pixels_(static_cast<std::size_t>(kWidth) * kHeight * 3, 255) {}

  void dot(int x, int y, Colour colour) {
    if (x < 0 || y < 0 || x >= kWidth || y >= kHeight) return;
    auto* at = &pixels_[(static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x)) * 3];
    at[0] = colour.red;
    at[1] = colour.green;
    at[2] = colour.blue;
  }
  void box(int x, int y, int width, int height, Colour colour) {
    for (int j = 0; j < height; ++j)
      for (int i = 0; i < width; ++i) dot(x + i, y + j, colour);
  }
  // `y`: of the letters' foot.
  void write(int x, int y, std::string_view text, bool ends_there = false) {
    if (ends_there) x -= kLetter * static_cast<int>(text.size());
    for (const char c : text) {
      letter(x, y - 7, static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
      x += kLetter;
    }
  }
  // Rows as PNG wants them: each behind a filter byte of 0.
  std::string rows() const {
    std::string out;
    const std::size_t row = static_cast<std::size_t>(kWidth) * 3;
    for (std::size_t y = 0; y < static_cast<std::size_t>(kHeight); ++y) {
      out += '\0';
      for (std::size_t i = y * row; i < (y + 1) * row; ++i) out += static_cast<char>(pixels_[i]);
    }
    return out;
  }

 private:
  void letter(int x, int y, char c) {
    const auto* found = std::find_if(std::begin(kGlyphs), std::end(kGlyphs),
                                     [&](const Glyph& one) { return one.letter == c; });
    if (found == std::end(kGlyphs)) return;
    for (int i = 0; i < 5; ++i)
      for (int j = 0; j < 7; ++j)
        if ((found->columns[static_cast<std::size_t>(i)] >> j & 1) != 0)
          dot(x + i, y + j, {60, 60, 60});
  }
  std::vector<std::uint8_t> pixels_;
};

void draw_demand(Canvas& canvas, const Chart& chart, double top) {
  for (std::size_t i = 0; i < chart.demand.size(); ++i) {
    const int x = static_cast<int>(column_x(chart, i));
    const int y = static_cast<int>(value_y(chart.demand[i], top));
    canvas.box(x, y, std::max(1, static_cast<int>(column_x(chart, i + 1)) - x),
               kTop + kPlotHeight - y, kDemandColour);
  }
}

void draw_line(Canvas& canvas, const Chart& chart, const std::vector<double>& values, double top,
               Colour colour) {
  int before = -1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int x = static_cast<int>(column_x(chart, i));
    const int y = static_cast<int>(value_y(values[i], top));
    canvas.box(x, y - 1, static_cast<int>(column_x(chart, i + 1)) - x + 1, 2, colour);
    if (before >= 0) canvas.box(x, std::min(y, before) - 1, 2, std::abs(y - before) + 2, colour);
    before = y;
  }
}

void draw_words(Canvas& canvas, const Chart& chart, double top) {
  canvas.write(kLeft, 24, chart.title);
  canvas.write(kLeft, 46, chart.unit);
  for (int i = 0; i <= 4; ++i)
    canvas.write(kLeft - 6, static_cast<int>(value_y(top * i / 4, top)) + 3,
                 fmt::format("{:g}", top * i / 4), true);
  canvas.write(kLeft, kTop + kPlotHeight + 18, chart.begin);
  canvas.write(kLeft + kPlotWidth, kTop + kPlotHeight + 18, chart.end, true);
  int x = kLeft;
  const auto entry = [&](const std::string& name, Colour colour) {
    canvas.box(x, kTop + kPlotHeight + 35, 14, 8, colour);
    canvas.write(x + 18, kTop + kPlotHeight + 43, name);
    x += 34 + kLetter * static_cast<int>(name.size());
  };
  entry("demand", kDemandColour);
  for (std::size_t i = 0; i < std::min(chart.lines.size(), kMostLines); ++i)
    entry(chart.lines[i].name, kLineColours[i]);
}

std::string word(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<unsigned char>(value >> shift));
  return out;
}

std::string chunk(std::string_view type, std::string_view data) {
  std::string body(type);
  body += data;
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return word(static_cast<std::uint32_t>(data.size())) + body +
         word(static_cast<std::uint32_t>(sum));
}

std::string deflated(const std::string& data) {
  uLongf size = compressBound(static_cast<uLong>(data.size()));
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
           static_cast<uLong>(data.size()));
  out.resize(size);
  return out;
}

}  // namespace

std::string to_png(const Chart& chart) {
  Canvas canvas;
  const double top = top_of(chart);
  for (int i = 0; i <= 4; ++i)
    canvas.box(kLeft, static_cast<int>(value_y(top * i / 4, top)), kPlotWidth, 1, {229, 229, 229});
  draw_demand(canvas, chart, top);
  for (std::size_t i = std::min(chart.lines.size(), kMostLines); i-- > 0;)
    draw_line(canvas, chart, chart.lines[i].values, top, kLineColours[i]);
  draw_words(canvas, chart, top);
  const std::string header = word(kWidth) + word(kHeight) + std::string("\x08\x02\0\0\0", 5);
  return std::string("\x89PNG\r\n\x1a\n", 8) + chunk("IHDR", header) +
         chunk("IDAT", deflated(canvas.rows())) + chunk("IEND", "");
}

}  // namespace hive::simulator
