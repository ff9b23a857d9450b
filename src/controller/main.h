// The daemon `hive controller`, a hidden subcommand; one on every manager.
#pragma once

namespace hive::controller {

// Runs until SIGTERM or SIGINT. Arguments: --engine HOST (unix:///run/docker.sock), --api-port N
// (7070), --agent-port N (7071; 0 = no agent channel), --certificates DIR (Swarm's), --socket PATH
// (/run/hive/controller.sock), --history PATH (/var/lib/hive/controller/history.db; "" = memory),
// --cloud-socket PATH (/run/hive/cloud.sock: the local cloud's; not there = no cloud).
int controller_main(int argc, char** argv);

}  // namespace hive::controller
