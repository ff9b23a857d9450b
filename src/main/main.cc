// The `hive` binary: hidden daemon subcommands first (no parsing before them: instance-init is
// started once an instance and must be quick), then the command line.
#include "cloud/local/main.h"

#include <string>
#include <string_view>
#include <vector>

#include "agent/main.h"
#include "boot/main.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/plugin.h"
#include "controller/main.h"

namespace {

struct Daemon {
  std::string_view name;
  int (*main)(int, char**);
};

constexpr Daemon kDaemons[] = {{"instance-init", &hive::cloud::local::instance_init_main},
                               {"cloud-server", &hive::cloud::local::cloud_server_main},
                               {"controller", &hive::controller::controller_main},
                               {"agent", &hive::agent::agent_main},
                               {"node-boot", &hive::boot::node_boot_main},
                               {"", nullptr}};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    for (const Daemon& daemon : kDaemons) {
      // The daemon sees its own name as argv[0].
      if (daemon.main != nullptr && daemon.name == argv[1]) return daemon.main(argc - 1, argv + 1);
    }
  }
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (const auto code = hive::cli::plugin_entry(argc > 0 ? argv[0] : "hive", arguments))
    return *code;
  hive::cli::Context context;
  return hive::cli::run_command_line(arguments, context);
}
