// Follows the local engine: its container events, and after each the list of containers. Runs in a
// thread of its own and posts what it sees.
#pragma once

#include <stop_token>
#include <string>

#include "agent/mailbox.h"
#include "engine/engine.h"

namespace hive::agent {

// Returns when stopped. Reconnects by itself; each connection begins with a list.
void watch_engine(engine::Engine& engine, Mailbox& mailbox, const std::stop_token& stop);

// Which init the engine gives to containers, from its GET /info: "hive-init", or another's path.
std::string init_from_info(const Json& info);

// A running container as `docker inspect` shows it. kFailedPrecondition when it does not run,
// kCorrupt when it has no process or is of no task.
Result<ContainerInfo> container_from_json(const Json& inspected);

}  // namespace hive::agent
