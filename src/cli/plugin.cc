#include "cli/plugin.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/json.h"
#include "cli/context.h"
#include "cli/version.h"
#include "os/file.h"

namespace hive::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetadataArgument = "docker-cli-plugin-metadata";

int install(Context& context, const std::optional<std::string>& directory) {
  fs::path target = directory.value_or("");
  if (target.empty()) {
    const char* home = std::getenv("HOME");
    target = geteuid() == 0 || home == nullptr ? fs::path("/usr/local/lib/docker/cli-plugins")
                                               : fs::path(home) / ".docker/cli-plugins";
  }
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error)
    return context.fail(kExitFailed, "finding this program's own file: " + error.message());
  if (auto made = os::make_directories(target); !made) return context.fail(made.error());
  const fs::path link = target / "docker-hive";
  const fs::path fresh = target / ".docker-hive.new";
  fs::remove(fresh, error);
  fs::create_symlink(self, fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (error)
    return context.fail(kExitFailed, "linking " + link.string() + ": " + error.message() +
                                         ". Choose another directory with --dir");
  context.line(link.string() + " -> " + self.string() + "; 'docker hive' works now");
  return kExitOk;
}

}  // namespace

std::optional<int> plugin_entry(const std::string& program, std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == kMetadataArgument) {
    const Json metadata = {{"SchemaVersion", "0.1.0"},
                           {"Vendor", "hive"},
                           {"Version", version_text()},
                           {"ShortDescription", "Autopilot for web services on Docker Swarm"}};
    std::puts(metadata.dump(2).c_str());
    return kExitOk;
  }
  if (fs::path(program).filename() == "docker-hive" && !arguments.empty() &&
      arguments.front() == "hive")
    arguments.erase(arguments.begin());
  return std::nullopt;
}

Command plugin_command() {
  Command install_command{
      .name = "install",
      .summary = "Link this binary where the docker command line finds its plugins",
      .declare = [](Declare& declare) -> Action {
        auto directory = std::make_shared<std::optional<std::string>>();
        declare.text("--dir", "DIRECTORY", directory.get(),
                     "Directory of plugins (default: the system's for root, else your own)");
        return [directory](Context& context) { return install(context, *directory); };
      }};
  return {.name = "plugin",
          .summary = "Use hive as 'docker hive'",
          .children = {std::move(install_command)}};
}

}  // namespace hive::cli
