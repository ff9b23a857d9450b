// Who calls: AWS credentials by the standard chain, in its order: the environment, the shared
// credentials and config files with their profiles, the container's endpoint, the instance's role
// by IMDSv2. Temporary ones are renewed ahead of their end. Source of the order, names and paths:
// AWS SDKs and Tools Reference Guide, "Standardized credential providers". Not supported: profiles
// with role_arn, credential_process, SSO, web identity; a profile that needs one of them is refused
// by name, never skipped.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "os/secret.h"

namespace hive::cloud::aws {

// Variables of a process's environment, handed in so that tests have their own.
using Environment = std::map<std::string, std::string>;

struct Credentials {
  std::string access_key_id;
  os::Secret secret_access_key;
  os::Secret session_token;         // empty for long-lived keys
  std::optional<WallTime> expires;  // nothing for long-lived keys
  std::string source;               // "the environment": for messages
};

struct ChainOptions {
  Environment environment;
  // A profile asked for by name (x-hive.aws.profile): then the environment's keys are not looked
  // at.
  std::string profile;
  const Clock* clock = nullptr;  // outlives the chain
};

// Safe to share between threads.
class CredentialChain {
 public:
  explicit CredentialChain(ChainOptions options) : options_(std::move(options)) {}

  // The credentials in force; the first of the chain that has some. Those that end are fetched anew
  // from 15 minutes before their end; when that fails they are used until they end.
  // kUnauthenticated when no source has any, naming the sources; kUnsupported, kCorrupt and
  // kUnavailable of the source that failed.
  Result<Credentials> get();

 private:
  Result<Credentials> fetch() const;

  ChainOptions options_;
  std::mutex mutex_;
  std::optional<Credentials> cached_;
};

// This process's own.
Environment process_environment();

// The variable's value; empty when unset.
std::string variable(const Environment& environment, const std::string& name);

// "2026-01-31T12:00:00Z". kCorrupt otherwise.
Result<WallTime> parse_time(const std::string& text);

// --- the single sources. kNotFound: this source has none.
Result<Credentials> credentials_of_environment(const Environment& environment);
Result<Credentials> credentials_of_profile(const Environment& environment,
                                           const std::string& profile);
Result<Credentials> credentials_of_container(const Environment& environment);
Result<Credentials> credentials_of_instance(const Environment& environment);

}  // namespace hive::cloud::aws
