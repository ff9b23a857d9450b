// Entry point of `hive agent`, the daemon of every node.
#pragma once

namespace hive::agent {

// Runs until SIGTERM or SIGINT, which leave HAProxy serving (the next agent adopts it); SIGQUIT
// ends HAProxy too. With --table FILE it serves that table, and its changes, without a controller.
int agent_main(int argc, char** argv);

}  // namespace hive::agent
