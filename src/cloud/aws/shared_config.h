// The files that AWS tools share: ~/.aws/credentials and ~/.aws/config
// (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE name others), and what they and the environment
// set. Source of the format and of the names: AWS SDKs and Tools Reference Guide.
#pragma once

#include <map>
#include <optional>
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

// `asked_for`, else AWS_REGION, AWS_DEFAULT_REGION, else the profile's; empty when none says.
Result<std::string> region_in_force(const Environment& environment, const std::string& profile,
                                    const std::string& asked_for);

// How often a call is sent at most, the first time included: AWS_MAX_ATTEMPTS, else the profile's
// max_attempts; nothing when none says. kInvalidArgument: neither 1 to 100.
Result<std::optional<int>> max_attempts_in_force(const Environment& environment,
                                                 const std::string& profile);

}  // namespace hive::cloud::aws
