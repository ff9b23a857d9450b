// The machine's services: units of systemd, or of the local cloud's first process where that runs
// the machine. Idempotent.
#pragma once

#include "base/result.h"

namespace hive::boot {

// `hive node-boot` at later boots too, of a worker: user data is run at the first one alone.
Status begin_at_later_boots();
// Returns before the engine answers.
Status start_engine();
// hive's daemons, now and at later boots; the engine is in a Swarm.
Status start_daemons(bool manager);

}  // namespace hive::boot
