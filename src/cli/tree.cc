#include "cli/command.h"
#include "cli/plugin.h"
#include "cli/version.h"

namespace hive::cli {

Command command_tree() {
  return {.name = "hive",
          .summary = "Autopilot for web services on Docker Swarm",
          .children = {plugin_command(), version_command()}};
}

}  // namespace hive::cli
