// Who calls, and SSM's parameters. Errors as in client.h.
// Sources: STS API Reference 2011-06-15; AWS Systems Manager.
#pragma once

#include <string>

#include "base/result.h"
#include "cloud/aws/client.h"
#include "os/secret.h"

namespace hive::cloud::aws {

struct Identity {
  std::string account;  // "123456789012"
  std::string arn;
};
Result<Identity> get_caller_identity(Client& client);

// SecureString parameters: their values are secrets.
enum class Overwrite { kAlways, kNever };
// kAlreadyExists when it is there and must not be overwritten.
Status put_parameter(Client& client, const std::string& name, const os::Secret& value,
                     Overwrite overwrite = Overwrite::kAlways);
Result<os::Secret> get_parameter(Client& client, const std::string& name);
Status delete_parameter(Client& client, const std::string& name);

}  // namespace hive::cloud::aws
