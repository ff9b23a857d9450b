// The daemon `hive controller`, a hidden subcommand; one on every manager.
#pragma once

namespace hive::controller {

// Runs until SIGTERM or SIGINT. Arguments: --engine HOST (unix:///run/docker.sock), --api-port N
// (7070), --agent-port N (7071; 0 = no agent channel), --certificates DIR (Swarm's), --socket PATH
// (/run/hive/controller.sock), --history PATH (/var/lib/hive/controller/history.db; "" = memory).
int controller_main(int argc, char** argv);

}  // namespace hive::controller
