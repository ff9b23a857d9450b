// Random draws of counts and of boot times, from the one generator that is handed in.
#pragma once

#include "base/random.h"

namespace hive::simulator {

double draw_normal(Random& random);
// Shape and scale above 0.
double draw_gamma(Random& random, double shape, double scale);
double draw_poisson(Random& random, double mean);
// Variance `dispersion` times the mean; dispersion 1 or less: Poisson.
double draw_negative_binomial(Random& random, double mean, double dispersion);
// Log-normal with that median and 90th percentile.
double draw_log_normal(Random& random, double median, double p90);

}  // namespace hive::simulator
