// ECR: repositories, and the token that Docker pulls with. Errors as in client.h.
// Source: Amazon ECR API Reference.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/tags.h"
#include "os/secret.h"

namespace hive::cloud::aws {

struct Repository {
  std::string name;
  std::string arn;
  std::string uri;  // "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop"
};

struct RegistryLogin {
  std::string username;
  os::Secret password;
  std::string address;  // host name, as images are named after it
  WallTime expires;     // twelve hours after it was given
};

// Of an image's name: the registry that it is in, where that is one of ECR.
struct RegistryPlace {
  std::string address;  // "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
  std::string region;
  auto operator<=>(const RegistryPlace&) const = default;
};
std::optional<RegistryPlace> ecr_of(const std::string& image);

// kNotFound.
Result<Repository> describe_repository(Client& client, const std::string& name);
Result<Tags> repository_tags(Client& client, const std::string& arn);
Status create_repository(Client& client, const std::string& name, const Tags& tags);
// kFailedPrecondition when it holds images.
Status delete_repository(Client& client, const std::string& name);
// As JSON. kNotFound when the repository has none.
Result<Json> get_lifecycle_policy(Client& client, const std::string& repository);
Status put_lifecycle_policy(Client& client, const std::string& repository, const Json& policy);
Result<RegistryLogin> get_authorization_token(Client& client);

}  // namespace hive::cloud::aws
