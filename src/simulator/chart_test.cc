#include "simulator/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace hive::simulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Chart chart() {
  return {.title = "shop & <day>",
          .unit = "replicas",
          .begin = "00:00",
          .end = "24:00",
          .demand = {1, 2, 5, 3},
          .lines = {{"hive", {2, 2, 6, 4}}, {"hpa", {4, 4, 8, 8}}}};
}

TEST(Chart, ColumnsHoldTheMost) {
  std::vector<float> values(1800, 1.0F);
  values[901] = 9;
  const auto columns = columns_of(values, 2);
  ASSERT_EQ(columns.size(), kColumns);
  EXPECT_EQ(columns[450], 18);
  EXPECT_EQ(columns[451], 2);
  EXPECT_THAT(columns_of(std::vector<float>{3, 4}, 1), ElementsAre(3, 4));
  EXPECT_TRUE(columns_of(std::vector<float>{}, 1).empty());
}

TEST(Chart, SvgHoldsItsPartsAndEscapesWords) {
  const std::string svg = to_svg(chart());
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_THAT(svg, HasSubstr("shop &amp; &lt;day>"));
  EXPECT_THAT(svg, HasSubstr(">hpa</text>"));
  EXPECT_THAT(svg, HasSubstr("<polyline"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

std::uint32_t word_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Walks the chunks, checks their sums, inflates the pixels.
TEST(Chart, PngIsWhole) {
  const std::string png = to_png(chart());
  ASSERT_EQ(png.substr(0, 8), std::string("\x89PNG\r\n\x1a\n", 8));
  std::string pixels;
  std::vector<std::string> types;
  for (std::size_t at = 8; at < png.size();) {
    const std::uint32_t size = word_at(png, at);
    const std::string body = png.substr(at + 4, size + 4);
    types.push_back(body.substr(0, 4));
    EXPECT_EQ(crc32(0, reinterpret_cast<const Bytef*>(body.data()), size + 4),
              word_at(png, at + 8 + size));
    if (types.back() == "IDAT") {
      uLongf length = 1000 * 440 * 3 + 440;
      pixels.resize(length);
      ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(pixels.data()), &length,
                           reinterpret_cast<const Bytef*>(body.data() + 4), size),
                Z_OK);
      EXPECT_EQ(length, pixels.size());
    }
    at += 12 + size;
  }
  EXPECT_THAT(types, ElementsAre("IHDR", "IDAT", "IEND"));
  // The line of hive is somewhere in its colour.
  EXPECT_NE(pixels.find(std::string("\xd6\x45\x41", 3)), std::string::npos);
}

TEST(Chart, AnEmptyOneIsDrawnToo) {
  EXPECT_THAT(to_svg({}), HasSubstr("</svg>"));
  EXPECT_GT(to_png({}).size(), 100U);
}

}  // namespace
}  // namespace hive::simulator
