// What no policy that learns from the past alone could have served: the part of a load that rises
// above everything that came until a boot time before.
#pragma once

#include "simulator/load.h"
#include "simulator/world.h"

namespace hive::simulator {

// Share of the demand above the most replicas that any second so far had needed when they would
// have had to be ordered; what is there at the start counts as seen. A policy that held its record
// for ever would leave just that, at a price that nobody pays: it is a floor for what can be
// learned, not for what can be guessed.
double novel_share(const Load& load, const WorldOptions& options);

}  // namespace hive::simulator
