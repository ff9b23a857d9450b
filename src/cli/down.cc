// hive down: removes everything that `hive up` made, whatever state it is in: on this machine, or
// in AWS.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/text.h"
#include "cli/aws_cluster.h"
#include "cli/commands.h"
#include "cli/compose_input.h"
#include "cli/context.h"
#include "cli/reach.h"
#include "cloud/local/local.h"

namespace hive::cli {
namespace {

namespace local = cloud::local;

struct DownArgs {
  std::vector<std::string> files;
  bool yes = false;
};

bool confirmed(Context& context, const std::string& name) {
  context.print("Remove cluster " + name + " with its nodes, volumes and registry? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void report(Context& context, const std::string& name, const local::CleanupReport& removed) {
  if (removed.nothing()) {
    context.line("nothing of cluster " + name + " is left on this machine");
    return;
  }
  std::vector<std::string> parts;
  const auto add = [&](int count, const char* what) {
    if (count > 0) parts.push_back(std::to_string(count) + " " + what);
  };
  add(removed.processes, "processes");
  add(removed.links, "network links");
  add(removed.firewall_rules, "firewall rules");
  add(removed.mounts, "mounts");
  add(removed.cgroups, "cgroups");
  add(removed.directories, "directories");
  context.line("cluster " + name + " removed: " + join(parts, ", "));
}

// The cluster meant; a damaged one counts too, so names come from the directories alone.
Result<std::string> cluster_meant(Context& context, const DownArgs& args) {
  HIVE_ASSIGN(const auto names, local::list_clusters());
  if (!context.globals.cluster.empty()) return context.globals.cluster;
  if (!args.files.empty() || !compose_files({}).empty()) {
    const std::string named = cluster_of_compose(args.files);
    if (!named.empty()) return named;
  }
  if (names.size() == 1) return names.front();
  if (names.empty()) return std::string();
  return fail(Errc::kInvalidArgument, "there are several clusters (" + join(names, ", ") +
                                          "): choose one with --cluster NAME");
}

int run_down(Context& context, const DownArgs& args) {
  if (context.globals.cluster.empty() && cloud_of_compose(args.files) == "aws") {
    const auto spec = load_compose(context, args.files, true);
    return spec ? aws_remove(context, *spec, args.yes) : kExitRefused;
  }
  if (geteuid() != 0)
    return context.fail(kExitRefused,
                        "removing a cluster of the local cloud needs root. Run it with sudo");
  const auto name = cluster_meant(context, args);
  if (!name) return context.fail(name.error());
  if (name->empty()) {
    context.line("there is no cluster on this machine; nothing to remove");
    return kExitOk;
  }
  if (!args.yes && isatty(STDIN_FILENO) == 1 && !confirmed(context, *name)) {
    context.line("left as it is");
    return kExitFailed;
  }
  const auto removed = local::remove_everything(*name);
  if (!removed) return context.fail(annotate(removed.error(), "removing " + *name).value());
  report(context, *name, *removed);
  return kExitOk;
}

}  // namespace

Command down_command() {
  return {.name = "down",
          .summary = "Remove a cluster whole",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<DownArgs>();
            declare.list("-f,--file", "FILE", &args->files, "Compose file that names the cluster",
                         ValueKind::kFile);
            declare.flag("-y,--yes", &args->yes, "Do not ask");
            return [args](Context& context) { return run_down(context, *args); };
          }};
}

}  // namespace hive::cli
