// Which tasks were told to stop, as controllers know it: Swarm itself calls them failed.
#pragma once

#include "cli/look.h"
#include "engine/engine.h"

namespace hive::cli {

// Fills Look::stops when a task is there that Swarm calls failed. What no controller tells is left
// out: the table then has Swarm's words.
void learn_stops(engine::Engine& engine, Look& look);

// From a controller's /v1/stops.
void add_stops(const Json& stops, Look& look);

}  // namespace hive::cli
