#include "cloud/aws/shared_config.h"

#include <charconv>
#include <initializer_list>

#include "base/text.h"
#include "os/file.h"

namespace hive::cloud::aws {
namespace {

constexpr std::size_t kMaxConfigBytes = 1U << 20;
constexpr int kMostAttempts = 100;

Result<Sections> read_sections(const Environment& environment, const std::string& override_name,
                               const std::string& file_name) {
  std::string path = variable(environment, override_name);
  if (path.empty()) {
    const std::string home = variable(environment, "HOME");
    if (home.empty()) return Sections{};
    path = home + "/.aws/" + file_name;
  }
  const auto text = os::read_file(path, kMaxConfigBytes);
  if (!text) {
    if (text.error().code == Errc::kNotFound) return Sections{};
    return tl::unexpected(text.error());
  }
  auto sections = parse_ini(*text);
  if (!sections) return annotate(sections.error(), path);
  return sections;
}

// The first of these variables that is set, else the profile's; empty when none is.
Result<std::string> setting(const Environment& environment, const std::string& profile,
                            std::initializer_list<const char*> variables, const std::string& key) {
  for (const char* name : variables)
    if (auto value = variable(environment, name); !value.empty()) return value;
  const auto section = read_profile(environment, profile_in_force(environment, profile));
  if (!section) {
    if (section.error().code == Errc::kNotFound) return std::string();
    return tl::unexpected(section.error());
  }
  const auto found = section->find(key);
  return found == section->end() ? std::string() : found->second;
}

// Spaces inside the brackets are of no account.
std::string section_name(std::string_view text) {
  std::string out;
  for (const auto& word : split(text, ' '))
    if (const auto bare = trim(word); !bare.empty())
      out += (out.empty() ? "" : " ") + std::string(bare);
  return out;
}

// A comment begins with # or ; after a space.
std::string_view without_comment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i)
    if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t'))
      return trim(value.substr(0, i));
  return value;
}

bool is_indented(std::string_view line) { return line[0] == ' ' || line[0] == '\t'; }

}  // namespace

Result<Sections> parse_ini(std::string_view text) {
  Sections out;
  Section* section = nullptr;
  std::string parent;  // the key whose indented lines follow
  int number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    const auto bare = trim(line);
    if (bare.empty() || bare[0] == '#' || bare[0] == ';') continue;
    if (bare[0] == '[') {
      const auto end = bare.find(']');
      if (end == std::string_view::npos)
        return fail(Errc::kCorrupt, "line " + std::to_string(number) + ": '[' without ']'");
      section = &out[section_name(bare.substr(1, end - 1))];
      parent.clear();
      continue;
    }
    const auto equals = bare.find('=');
    const bool nested = is_indented(line) && !parent.empty();
    if (section == nullptr || equals == std::string_view::npos || equals == 0)
      return fail(Errc::kCorrupt, "line " + std::to_string(number) +
                                      (section == nullptr ? ": before the first [section]"
                                                          : ": neither [section] nor key = value"));
    const std::string key(trim(bare.substr(0, equals)));
    const std::string value(without_comment(trim(bare.substr(equals + 1))));
    (*section)[nested ? parent + "." + key : key] = value;
    if (!nested) parent = value.empty() ? key : "";
  }
  return out;
}

std::string profile_in_force(const Environment& environment, const std::string& asked_for) {
  if (!asked_for.empty()) return asked_for;
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"})
    if (auto value = variable(environment, name); !value.empty()) return value;
  return "default";
}

Result<Section> read_profile(const Environment& environment, const std::string& profile) {
  HIVE_ASSIGN(const auto config, read_sections(environment, "AWS_CONFIG_FILE", "config"));
  HIVE_ASSIGN(const auto secrets,
              read_sections(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials"));
  Section out;
  bool found = false;
  const auto take = [&](const Sections& from, const std::string& name) {
    const auto section = from.find(name);
    if (section == from.end()) return;
    found = true;
    for (const auto& [key, value] : section->second) out[key] = value;
  };
  if (profile == "default") take(config, "default");
  take(config, "profile " + profile);
  take(secrets, profile);
  if (!found) return fail(Errc::kNotFound, "there is no profile '" + profile + "' in ~/.aws");
  return out;
}

Result<Section> read_services(const Environment& environment, const std::string& name) {
  HIVE_ASSIGN(const auto config, read_sections(environment, "AWS_CONFIG_FILE", "config"));
  const auto section = config.find("services " + name);
  return section == config.end() ? Section{} : section->second;
}

Result<std::string> region_in_force(const Environment& environment, const std::string& profile,
                                    const std::string& asked_for) {
  if (!asked_for.empty()) return asked_for;
  return setting(environment, profile, {"AWS_REGION", "AWS_DEFAULT_REGION"}, "region");
}

Result<std::optional<int>> max_attempts_in_force(const Environment& environment,
                                                 const std::string& profile) {
  HIVE_ASSIGN(const std::string text,
              setting(environment, profile, {"AWS_MAX_ATTEMPTS"}, "max_attempts"));
  if (text.empty()) return std::nullopt;
  int attempts = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), attempts);
  if (fault != std::errc() || end != text.data() + text.size() || attempts < 1 ||
      attempts > kMostAttempts)
    return fail(Errc::kInvalidArgument, "AWS_MAX_ATTEMPTS (or the profile's max_attempts) is '" +
                                            text +
                                            "': it is how often a call is sent at most, 1 to " +
                                            std::to_string(kMostAttempts));
  return attempts;
}

Result<Credentials> credentials_of_profile(const Environment& environment,
                                           const std::string& profile) {
  HIVE_ASSIGN(const auto section, read_profile(environment, profile));
  const auto value = [&](const char* key) {
    const auto found = section.find(key);
    return found == section.end() ? std::string() : found->second;
  };
  Credentials out;
  out.access_key_id = value("aws_access_key_id");
  out.secret_access_key = os::Secret(value("aws_secret_access_key"));
  out.session_token = os::Secret(value("aws_session_token"));
  out.source = "profile " + profile;
  for (const char* key : {"role_arn", "credential_process", "sso_session", "sso_account_id",
                          "web_identity_token_file", "credential_source"})
    if (section.count(key) > 0)
      return fail(Errc::kUnsupported,
                  "profile " + profile + " uses " + key +
                      ", which hive does not support: export temporary credentials to the "
                      "environment instead (aws configure export-credentials)");
  if (out.access_key_id.empty() && out.secret_access_key.empty())
    return fail(Errc::kNotFound, "profile " + profile + " has no aws_access_key_id");
  if (out.access_key_id.empty() || out.secret_access_key.empty())
    return fail(Errc::kUnauthenticated, "profile " + profile +
                                            " has only one of aws_access_key_id and "
                                            "aws_secret_access_key");
  return out;
}

}  // namespace hive::cloud::aws
