// The files that AWS tools share: ~/.aws/credentials and ~/.aws/config
// (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE name others). Source of the format: AWS SDKs and
// Tools Reference Guide.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cloud/aws/credentials.h"

namespace hive::cloud::aws {

// Values by key; a nested one ("s3 =" with indented lines below) as "s3.key".
using Section = std::map<std::string, std::string>;
// Sections by name, as written between the brackets: "default", "profile dev", "services local".
using Sections = std::map<std::string, Section>;

// kCorrupt with the line's number; a value is never in the message.
Result<Sections> parse_ini(std::string_view text);

// The profile's settings of both files; the credentials file's win. kNotFound: no such profile.
Result<Section> read_profile(const Environment& environment, const std::string& profile);
// A "[services NAME]" section of the config file; empty when there is none.
Result<Section> read_services(const Environment& environment, const std::string& name);

// `asked_for`, else AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default".
std::string profile_in_force(const Environment& environment, const std::string& asked_for);

}  // namespace hive::cloud::aws
