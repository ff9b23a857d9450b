// How much of each further replica would be used: the expectation over what the load may be.
#pragma once

#include <vector>

#include "decide/forecast/load_model.h"

namespace hive::decide::autoscale {

// use[k] = E[clip(load - k, 0, 1)]: of the replica after k others, at the horizon. Falls with k;
// ends before the first that is below `least`, at `most` replicas at the latest. `scale` multiplies
// the forecast's loads (1: the model is in replicas). Reuses `out`.
void expected_uses(const forecast::Outlook& outlook, double scale, double least, int most,
                   std::vector<double>& out);

}  // namespace hive::decide::autoscale
