#include "cli/printable.h"

#include <gtest/gtest.h>

namespace hive::cli {
namespace {

TEST(Printable, TextStaysAsItIs) {
  const std::string text = "two\nlines\tand \xed\x95\x98\xec\x9d\xb4\xeb\xb8\x8c \xf0\x9f\x90\x9d";
  EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, ControlCharactersSteerNoTerminal) {
  EXPECT_EQ(printable(std::string_view("a\0b\x1b[31mc\x7f\r", 10)), "a?b?[31mc?");
}

TEST(Printable, BytesThatAreNoTextAreMarked) {
  EXPECT_EQ(printable("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(printable("a\xc3"), "a\xef\xbf\xbd");                  // cut off
  EXPECT_EQ(printable("\xe2\x82z"), "\xef\xbf\xbd\xef\xbf\xbdz");  // a byte missing
  EXPECT_EQ(printable("\x80"), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace hive::cli
