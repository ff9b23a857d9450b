#include "cli/natural.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace hive::cli {
namespace {

TEST(NaturalLess, NumbersCountAsNumbers) {
  std::vector<std::string> names{"web.10", "web.2", "web-2.1", "web_x.1", "web",
                                 "web.02", "a10b3", "a10b20",  "a2",      "9"};
  std::sort(names.begin(), names.end(), natural_less);
  EXPECT_THAT(names, testing::ElementsAre("9", "a2", "a10b3", "a10b20", "web", "web-2.1", "web.2",
                                          "web.02", "web.10", "web_x.1"));
}

TEST(NaturalLess, IsAStrictOrder) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::vector<std::string> words(60);
  for (auto& word : words)
    for (auto length = random() % 5; length > 0; --length) word += "019a."[random() % 5];
  for (const auto& a : words)
    for (const auto& b : words) {
      EXPECT_EQ(natural_less(a, b) || natural_less(b, a), a != b) << a << " " << b;
      EXPECT_FALSE(natural_less(a, b) && natural_less(b, a)) << a << " " << b;
      for (const auto& c : words) {
        const bool before = natural_less(a, b) && natural_less(b, c);
        EXPECT_TRUE(!before || natural_less(a, c)) << a << " " << b << " " << c;
      }
    }
}

}  // namespace
}  // namespace hive::cli
