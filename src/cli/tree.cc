#include "cli/command.h"
#include "cli/commands.h"
#include "cli/node.h"
#include "cli/plugin.h"
#include "cli/reference.h"
#include "cli/service.h"
#include "cli/version.h"

namespace hive::cli {

Command command_tree() {
  return {
      .name = "hive",
      .summary = "Autopilot for web services on Docker Swarm",
      .children = {up_command(),      down_command(),      status_command(),   config_command(),
                   doctor_command(),  stack_command(),     instance_command(), lb_command(),
                   image_command(),   autoscale_command(), simulate_command(), events_command(),
                   logs_command(),    aws_command(),       node_command(),     service_command(),
                   task_command(),    volume_command(),    plugin_command(),   completion_command(),
                   version_command(), complete_command(),  reference_command()}};
}

}  // namespace hive::cli
