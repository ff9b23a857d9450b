#include "registry/credentials.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/base64.h"
#include "base/json.h"
#include "base/log.h"
#include "os/file.h"

namespace hive::registry {
namespace {

// "https://index.docker.io/v1/" and "docker.io" are one registry.
std::string host_of(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos)
    key.remove_prefix(scheme + 3);
  const std::string host(key.substr(0, key.find('/')));
  return host == "index.docker.io" || host == "registry-1.docker.io" ? "docker.io" : host;
}

Result<Credentials> entry_from(const Json& entry, std::string_view domain) {
  Credentials out;
  out.identity_token = json_string(entry, "identitytoken");
  out.username = json_string(entry, "username");
  out.password = json_string(entry, "password");
  const std::string auth = json_string(entry, "auth");
  if (auth.empty()) return out;
  const auto decoded = base64_decode(auth);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos)
    return fail(Errc::kCorrupt,
                fmt::format("docker's config.json: the auth of {} is not base64 of user:password; "
                            "log in again",
                            domain));
  out.username = decoded->substr(0, colon);
  out.password = decoded->substr(colon + 1);
  while (!out.password.empty() && out.password.back() == '\0') out.password.pop_back();
  return out;
}

}  // namespace

Result<std::optional<Credentials>> credentials_from(std::string_view config_json,
                                                    std::string_view domain) {
  HIVE_ASSIGN(const Json config, parse_json(config_json, "docker's config.json"));
  const std::string wanted = host_of(domain);
  if (const Json* auths = json_member(config, "auths"); auths != nullptr && auths->is_object())
    for (const auto& [key, entry] : auths->items()) {
      if (host_of(key) != wanted) continue;
      HIVE_ASSIGN(Credentials found, entry_from(entry, wanted));
      if (!found.username.empty() || !found.identity_token.empty()) return std::optional(found);
    }
  const Json* helpers = json_member(config, "credHelpers");
  const bool named = helpers != nullptr && json_member(*helpers, wanted) != nullptr;
  if (named || !json_string(config, "credsStore").empty())
    log::warn("registry",
              "docker's config.json names a credential helper for {}, which hive does not run; "
              "give the credentials to hive itself",
              wanted);
  return std::optional<Credentials>();
}

Result<std::optional<Credentials>> load_credentials(const std::filesystem::path& config_file,
                                                    std::string_view domain) {
  const auto text = os::read_file(config_file, 1U << 20);
  if (!text && text.error().code == Errc::kNotFound) return std::optional<Credentials>();
  if (!text) return tl::unexpected(text.error());
  return credentials_from(*text, domain);
}

std::filesystem::path default_config_file() {
  if (const char* folder = std::getenv("DOCKER_CONFIG"); folder != nullptr && *folder != '\0')
    return std::filesystem::path(folder) / "config.json";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/root") / ".docker" / "config.json";
}

}  // namespace hive::registry
