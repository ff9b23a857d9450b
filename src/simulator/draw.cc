#include "simulator/draw.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hive::simulator {
namespace {

// Above it a Poisson count is drawn from the normal distribution, rounded.
constexpr double kLargeMean = 60;
constexpr double kZ90 = 1.2815515655446004;

}  // namespace

double draw_normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
  return radius * std::cos(2 * std::numbers::pi * random.unit());
}

// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
double draw_gamma(Random& random, double shape, double scale) {
  if (shape < 1)
    return draw_gamma(random, shape + 1, scale) * std::pow(1 - random.unit(), 1 / shape);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = draw_normal(random);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - random.unit()) < 0.5 * x * x + d - d * v + d * std::log(v))
      return d * v * scale;
  }
}

double draw_poisson(Random& random, double mean) {
  if (mean <= 0) return 0;
  if (mean > kLargeMean)
    return std::max(0.0, std::round(mean + std::sqrt(mean) * draw_normal(random)));
  const double limit = std::exp(-mean);
  double count = 0;
  for (double product = 1 - random.unit(); product > limit; ++count) product *= 1 - random.unit();
  return count;
}

double draw_negative_binomial(Random& random, double mean, double dispersion) {
  if (mean <= 0) return 0;
  if (dispersion <= 1) return draw_poisson(random, mean);
  if (mean > 10 * kLargeMean)
    return std::max(0.0, std::round(mean + std::sqrt(dispersion * mean) * draw_normal(random)));
  const double scale = dispersion - 1;
  return draw_poisson(random, draw_gamma(random, mean / scale, scale));
}

double draw_log_normal(Random& random, double median, double p90) {
  const double sigma = std::log(std::max(p90, median) / median) / kZ90;
  return median * std::exp(sigma * draw_normal(random));
}

}  // namespace hive::simulator
