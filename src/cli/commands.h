// The commands, each in a file of its name.
#pragma once

#include "cli/command.h"

namespace hive::cli {

Command aws_command();
Command up_command();
Command down_command();
Command status_command();
Command config_command();
Command doctor_command();
Command events_command();
Command stack_command();
Command volume_command();
Command task_command();
Command instance_command();
Command lb_command();
Command image_command();
Command simulate_command();
Command autoscale_command();
Command completion_command();
Command complete_command();  // hidden: candidates for the shell

}  // namespace hive::cli
