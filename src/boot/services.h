// The machine's services: units of systemd, or of the local cloud's first process where that runs
// the machine. Idempotent.
#pragma once

#include "base/result.h"

namespace hive::boot {

// Returns before the engine answers.
Status start_engine();
// hive's daemons, now and at later boots; the engine is in a Swarm.
Status start_daemons(bool manager);

}  // namespace hive::boot
