// For this room's tests: load text as hive.yml in /work.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "config/compose.h"

namespace hive::config {

inline LoadOptions test_options(StringMap environment = {}, StringMap env_files = {}) {
  LoadOptions options;
  options.working_dir = "/work";
  options.environment = std::move(environment);
  options.read_file = [env_files =
                           std::move(env_files)](const std::string& path) -> Result<std::string> {
    const auto found = env_files.find(path);
    if (found == env_files.end()) return fail(Errc::kNotFound, "no such file");
    return found->second;
  };
  return options;
}

// Fails the test with the rendered faults when the text has any.
inline Loaded load_text(const std::string& text, StringMap environment = {},
                        StringMap env_files = {}) {
  auto loaded =
      load({{"hive.yml", text}}, test_options(std::move(environment), std::move(env_files)));
  if (!loaded) {
    ADD_FAILURE() << render(loaded.error());
    return {};
  }
  return *std::move(loaded);
}

// A service `web` with these further lines, indented by four.
inline Service load_service(const std::string& lines, StringMap environment = {},
                            StringMap env_files = {}) {
  auto loaded = load_text("version: \"3.9\"\nservices:\n  web:\n    image: shop\n" + lines +
                              "\nnetworks: {front: {}, back: {}}\nvolumes: {data: {}}\n"
                              "secrets: {key: {external: true}}\n"
                              "configs: {conf: {external: true}}\n",
                          std::move(environment), std::move(env_files));
  return loaded.spec.services["web"];
}

// "line:column message (hint)" of each fault.
inline std::vector<std::string> faults_of(const std::string& text, StringMap environment = {}) {
  const auto loaded = load({{"hive.yml", text}}, test_options(std::move(environment)));
  std::vector<std::string> out;
  if (loaded) return out;
  for (const auto& fault : loaded.error().faults) {
    std::string one = std::to_string(fault.position.line) + ":" +
                      std::to_string(fault.position.column) + " " + fault.message;
    if (!fault.hint.empty()) one += " (" + fault.hint + ")";
    out.push_back(one);
  }
  return out;
}

inline std::vector<std::string> warnings_of(const std::string& text, StringMap environment = {}) {
  std::vector<std::string> out;
  for (const auto& warning : load_text(text, std::move(environment)).warnings)
    out.push_back(std::to_string(warning.position.line) + " " + warning.message);
  return out;
}

}  // namespace hive::config
