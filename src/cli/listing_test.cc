#include "cli/listing.h"

#include <gtest/gtest.h>

#include "cli/bars.h"

namespace hive::cli {
namespace {

TEST(Table, PadsColumnsToTheWidestCellAndTrimsTheEnd) {
  EXPECT_EQ(format_table({"ID", "NAME", "PORTS"}, {{"abc", "a-long-name", ""}, {"d", "b", "80"}}),
            "ID    NAME          PORTS\n"
            "abc   a-long-name\n"
            "d     b             80\n");
}

TEST(Table, CountsCodePointsNotBytes) {
  EXPECT_EQ(format_table({"A", "B"}, {{"하이브", "x"}}),
            "A     B\n"
            "하이브   x\n");
}

TEST(Shorten, CutsWithAnEllipsisUnlessToldNotTo) {
  EXPECT_EQ(shorten("abcdef", 4, false), "abc…");
  EXPECT_EQ(shorten("abcd", 4, false), "abcd");
  EXPECT_EQ(shorten("abcdef", 4, true), "abcdef");
}

TEST(Filters, CollectsValuesOfOneKey) {
  const auto filters = parse_filters({"label=a=b", "label=c", "name=web"}, {"label", "name"});
  ASSERT_TRUE(filters);
  EXPECT_EQ(filters->at("label"), (std::vector<std::string>{"a=b", "c"}));
}

TEST(Filters, NamesTheNearestKey) {
  const auto filters = parse_filters({"nmae=web"}, {"label", "name"});
  ASSERT_FALSE(filters);
  EXPECT_NE(filters.error().message.find("did you mean name?"), std::string::npos);
}

TEST(Bar, FillsWithProgress) {
  EXPECT_EQ(bar(0, 3, 6), "[>     ] 0/3");
  EXPECT_EQ(bar(1, 3, 6), "[==>   ] 1/3");
  EXPECT_EQ(bar(3, 3, 6), "[======] 3/3");
  EXPECT_EQ(bar(0, 0, 4), "[====] 0/0");
}

}  // namespace
}  // namespace hive::cli
