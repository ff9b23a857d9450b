// hive service: what its docker namesakes do, with hive's publish rule.
#pragma once

#include "cli/command.h"

namespace hive::cli {

Command service_command();

// Parts of it, one a file.
Command service_create_command();
Command service_update_command();
Command service_scale_command();
Command service_rollback_command();
Command service_history_command();
// `service logs` and the shorter `hive logs`.
Command logs_command();

}  // namespace hive::cli
