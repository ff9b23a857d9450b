// The `hive` binary: hidden daemon subcommands first (no parsing before them: instance-init is
// started once an instance and must be quick), then the command line.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#ifdef HIVE_WITH_CLI
#include "cli/command.h"
#include "cli/context.h"
#include "cli/plugin.h"
#endif
#ifdef HIVE_WITH_LOCAL_CLOUD
#include "cloud/local/main.h"
#endif
#ifdef HIVE_WITH_CONTROLLER
#include "controller/main.h"
#endif
#ifdef HIVE_WITH_AGENT
#include "agent/main.h"
#endif

namespace {

struct Daemon {
  std::string_view name;
  int (*main)(int, char**);
};

constexpr Daemon kDaemons[] = {
#ifdef HIVE_WITH_LOCAL_CLOUD
    {"instance-init", &hive::cloud::local::instance_init_main},
    {"cloud-server", &hive::cloud::local::cloud_server_main},
#endif
#ifdef HIVE_WITH_CONTROLLER
    {"controller", &hive::controller::controller_main},
#endif
#ifdef HIVE_WITH_AGENT
    {"agent", &hive::agent::agent_main},
#endif
    {"", nullptr}};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    for (const Daemon& daemon : kDaemons) {
      // The daemon sees its own name as argv[0].
      if (daemon.main != nullptr && daemon.name == argv[1]) return daemon.main(argc - 1, argv + 1);
    }
  }
#ifdef HIVE_WITH_CLI
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (const auto code = hive::cli::plugin_entry(argc > 0 ? argv[0] : "hive", arguments))
    return *code;
  hive::cli::Context context;
  return hive::cli::run_command_line(arguments, context);
#else
  std::fputs("hive: built without its command line\n", stderr);
  return 1;
#endif
}
