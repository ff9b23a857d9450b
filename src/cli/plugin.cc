#include "cli/plugin.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

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

// docker's own options stand before the plugin's name: "docker-hive --config DIR hive node ls".
// What hive understands is kept, for the front of its own arguments; the rest has no meaning here.
std::optional<int> take_docker_options(std::vector<std::string>& arguments) {
  static const std::set<std::string> kFlags = {"-D", "--debug"};
  static const std::set<std::string> kWithValue = {"--config", "-l", "--log-level", "-H", "--host"};
  std::vector<std::string> kept;
  std::size_t at = 0;
  for (; at < arguments.size() && arguments[at].starts_with("-"); ++at) {
    if (kFlags.contains(arguments[at])) continue;
    const auto equals = arguments[at].find('=');
    const std::string name = arguments[at].substr(0, equals);
    if (!kWithValue.contains(name)) {
      if (name == "--help" || name == "-h" || name == "--version") return std::nullopt;
      std::fprintf(
          stderr,
          "hive: docker's option %s has no meaning for hive: give the engine's address with "
          "-H, or the cluster with 'docker hive --cluster NAME'\n",
          name.c_str());
      return kExitUsage;
    }
    if (equals == std::string::npos && at + 1 == arguments.size()) return std::nullopt;
    const std::string value =
        equals == std::string::npos ? arguments[++at] : arguments[at].substr(equals + 1);
    if (name == "--config") ::setenv("DOCKER_CONFIG", value.c_str(), 1);
    if (name == "-H" || name == "--host") kept.insert(kept.end(), {"--host", value});
  }
  if (at == arguments.size() || arguments[at] != "hive") return std::nullopt;
  kept.insert(kept.end(), arguments.begin() + static_cast<std::ptrdiff_t>(at) + 1, arguments.end());
  arguments = std::move(kept);
  return std::nullopt;
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
  if (fs::path(program).filename() != "docker-hive") return std::nullopt;
  return take_docker_options(arguments);
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
