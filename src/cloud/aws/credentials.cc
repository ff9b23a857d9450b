#include "cloud/aws/credentials.h"

#include <unistd.h>

#include <ctime>

#include "cloud/aws/shared_config.h"

namespace hive::cloud::aws {
namespace {

constexpr auto kRenewAhead = std::chrono::minutes(15);

bool ends_within(const Credentials& credentials, WallTime now, std::chrono::minutes ahead) {
  return credentials.expires && *credentials.expires - ahead <= now;
}

}  // namespace

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

Result<WallTime> parse_time(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) return fail(Errc::kCorrupt, "'" + text + "' is not a time");
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string word = *entry;
    const auto equals = word.find('=');
    if (equals != std::string::npos) out[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return out;
}

Result<Credentials> credentials_of_environment(const Environment& environment) {
  Credentials out;
  out.access_key_id = variable(environment, "AWS_ACCESS_KEY_ID");
  out.secret_access_key = os::Secret(variable(environment, "AWS_SECRET_ACCESS_KEY"));
  out.session_token = os::Secret(variable(environment, "AWS_SESSION_TOKEN"));
  out.source = "the environment";
  if (out.access_key_id.empty() && out.secret_access_key.empty())
    return fail(Errc::kNotFound, "AWS_ACCESS_KEY_ID is not set");
  if (out.access_key_id.empty() || out.secret_access_key.empty())
    return fail(Errc::kUnauthenticated,
                "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set: set both");
  return out;
}

Result<Credentials> CredentialChain::get() {
  std::lock_guard lock(mutex_);
  const WallTime now = options_.clock->wall_now();
  if (cached_ && !ends_within(*cached_, now, kRenewAhead)) return *cached_;
  auto fresh = fetch();
  if (fresh) {
    cached_ = *fresh;
  } else if (!cached_ || ends_within(*cached_, now, std::chrono::minutes(0))) {
    return fresh;
  }
  return *cached_;
}

Result<Credentials> CredentialChain::fetch() const {
  const Environment& environment = options_.environment;
  if (options_.profile.empty()) {
    auto found = credentials_of_environment(environment);
    if (found || found.error().code != Errc::kNotFound) return found;
  }
  const std::string profile = profile_in_force(environment, options_.profile);
  const bool asked_for = profile != "default";
  auto found = credentials_of_profile(environment, profile);
  if (found || found.error().code != Errc::kNotFound || asked_for) return found;
  found = credentials_of_container(environment);
  if (found || found.error().code != Errc::kNotFound) return found;
  found = credentials_of_instance(environment);
  if (found || found.error().code != Errc::kNotFound) return found;
  return fail(Errc::kUnauthenticated,
              "no AWS credentials: neither the environment (AWS_ACCESS_KEY_ID), nor a profile in "
              "~/.aws, nor a container, nor an instance role has any");
}

}  // namespace hive::cloud::aws
