#include "simulator/shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hive::simulator {
namespace {

double mean(const Load& load, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (std::size_t t = begin; t < end; ++t) sum += static_cast<double>(load.requests[t]);
  return sum / static_cast<double>(end - begin);
}

TEST(Shapes, StepIsLowHighLow) {
  Random random(1);
  const auto load = make_shape("step", 20, 400, random);
  ASSERT_TRUE(load);
  EXPECT_NEAR(mean(*load, 0, 1200), 20, 1);
  EXPECT_NEAR(mean(*load, 1200, 2400), 400, 5);
  EXPECT_NEAR(mean(*load, 2400, 3600), 20, 1);
}

TEST(Shapes, AllStayBetweenLowAndHighInTheMean) {
  for (const Shape& shape : shapes()) {
    Random random(1);
    const auto load = make_shape(shape.name, 50, 100, random);
    ASSERT_TRUE(load) << shape.name;
    ASSERT_EQ(load->requests.size(), shape.seconds);
    for (std::size_t t = 0; t + 60 <= shape.seconds; t += 60) {
      EXPECT_GT(mean(*load, t, t + 60), 43) << shape.name << t;
      EXPECT_LT(mean(*load, t, t + 60), 110) << shape.name << t;
    }
  }
}

TEST(Shapes, UnknownOnesAreAnsweredWithTheKnown) {
  Random random(1);
  EXPECT_THAT(make_shape("stp", 1, 2, random).error().message,
              ::testing::HasSubstr("did you mean step?): there are step, ramp, day, week, burst"));
}

}  // namespace
}  // namespace hive::simulator
