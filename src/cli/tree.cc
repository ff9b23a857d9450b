#include "cli/command.h"
#include "cli/commands.h"
#include "cli/node.h"
#include "cli/plugin.h"
#include "cli/service.h"
#include "cli/version.h"

namespace hive::cli {

Command command_tree() {
  return {.name = "hive",
          .summary = "Autopilot for web services on Docker Swarm",
          .children = {
#ifdef HIVE_WITH_LOCAL_CLOUD
              instance_command(), lb_command(),
#endif
              node_command(), service_command(), task_command(), volume_command(), logs_command(),
              plugin_command(), completion_command(), version_command(), complete_command()}};
}

}  // namespace hive::cli
