// docker's `service ls` table.
#pragma once

#include <vector>

#include "cli/listing.h"
#include "engine/engine.h"

namespace hive::cli {

int print_services(Context& context, const ListOptions& options, engine::Engine& engine,
                   const std::vector<model::Service>& services);

}  // namespace hive::cli
