// Credentials as docker's command line keeps them: the "auths" of config.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::registry {

struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // an OAuth2 refresh token, instead of the two
};

// The entry of the registry ("registry.hive:5001", "docker.io") in config.json's text. Entries
// under "https://host/v1/" count too. Nothing when there is none; a credential helper named for
// the registry is not run: a warning says so. kCorrupt when the text is not docker's.
Result<std::optional<Credentials>> credentials_from(std::string_view config_json,
                                                    std::string_view domain);

// From the file; a file that is not there has no credentials.
Result<std::optional<Credentials>> load_credentials(const std::filesystem::path& config_file,
                                                    std::string_view domain);

// $DOCKER_CONFIG/config.json or ~/.docker/config.json.
std::filesystem::path default_config_file();

}  // namespace hive::registry
