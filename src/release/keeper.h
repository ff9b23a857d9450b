// The releases of services, kept in Swarm: a config object of each service,
// hive.releases.SERVICEID, that any manager reads and that dies with the last manager, not with a
// controller. Blocking calls to the engine; any thread.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "release/history.h"

namespace hive::release {

// An empty history when the service has none yet.
Result<Releases> read(engine::Engine& engine, const std::string& service_id);

// Reads, lets `edit` change, and writes with the version read; on a conflict begins again, at most
// five times. `edit` returns whether anything changed. Histories of services that are gone are
// removed on the way.
Status change(engine::Engine& engine, const std::string& service_id,
              const std::string& service_name, const std::function<bool(Releases&)>& edit);

}  // namespace hive::release
