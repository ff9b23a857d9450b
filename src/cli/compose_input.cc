#include "cli/compose_input.h"

#include <filesystem>

#include "base/text.h"
#include "cli/command.h"
#include "cli/context.h"

extern char** environ;

namespace hive::cli {
namespace {

const std::vector<std::string>& default_names() {
  static const std::vector<std::string> names = {"hive.yml",           "hive.yaml",
                                                 "compose.yml",        "compose.yaml",
                                                 "docker-compose.yml", "docker-compose.yaml"};
  return names;
}

}  // namespace

config::StringMap own_environment() {
  config::StringMap map;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string word = *entry;
    const auto equals = word.find('=');
    if (equals != std::string::npos) map[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return map;
}

std::vector<std::string> compose_files(const std::vector<std::string>& given) {
  if (!given.empty()) return given;
  for (const auto& name : default_names()) {
    std::error_code ignored;
    if (std::filesystem::exists(name, ignored)) return {name};
  }
  return {};
}

std::string cluster_of_compose(const std::vector<std::string>& given) {
  const auto files = compose_files(given);
  if (files.empty()) return "";
  const auto loaded = config::load_paths(files, own_environment());
  return loaded ? loaded->spec.cluster.name : "";
}

std::string cloud_of_compose(const std::vector<std::string>& given) {
  const auto files = compose_files(given);
  if (files.empty()) return "";
  const auto loaded = config::load_paths(files, own_environment());
  return loaded ? loaded->spec.cluster.cloud : "";
}

std::optional<config::Spec> load_compose(Context& context, const std::vector<std::string>& given,
                                         bool need_hive) {
  const auto files = compose_files(given);
  if (files.empty()) {
    context.fail(kExitRefused, "there is no Compose file here (looked for " +
                                   join(default_names(), ", ") + "). Name one with -f FILE");
    return std::nullopt;
  }
  auto loaded = config::load_paths(files, own_environment());
  if (!loaded) {
    context.note(config::render(loaded.error()));
    const auto count = loaded.error().faults.size() + loaded.error().dropped;
    context.fail(kExitRefused, std::to_string(count) + (count == 1 ? " fault" : " faults") +
                                   " in the configuration; nothing was done");
    return std::nullopt;
  }
  for (const auto& warning : loaded->warnings)
    context.note(config::render(loaded->spec.files, warning));
  if (need_hive && loaded->spec.cluster.name.empty()) {
    context.fail(kExitRefused, files.front() +
                                   ": the cluster has no name. Add at the top of the file:\n"
                                   "x-hive:\n  name: shop");
    return std::nullopt;
  }
  return std::move(loaded->spec);
}

}  // namespace hive::cli
