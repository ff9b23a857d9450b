// IAM: the roles that machines have. Errors as in client.h.
// Source: IAM API Reference, 2010-05-08.
#pragma once

#include <string>

#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/tags.h"

namespace hive::cloud::aws {

// The one inline policy of a role of hive's.
inline constexpr const char* kRolePolicyName = "hive";

struct Role {
  std::string name;
  std::string arn;
  Tags tags;
};

struct InstanceProfile {
  std::string name;
  std::string role;  // the name of its role; empty when it has none yet
};

// All kNotFound when it is not there.
Result<Role> get_role(Client& client, const std::string& name);
// The policy document as JSON, decoded.
Result<Json> get_role_policy(Client& client, const std::string& role);
Result<InstanceProfile> get_instance_profile(Client& client, const std::string& name);

// A role that EC2 machines may take.
Status create_role(Client& client, const std::string& name, const std::string& description,
                   const Tags& tags);
Status put_role_policy(Client& client, const std::string& role, const Json& document);
Status delete_role_policy(Client& client, const std::string& role);
// kFailedPrecondition while it has a policy or is in a profile.
Status delete_role(Client& client, const std::string& name);

Status create_instance_profile(Client& client, const std::string& name, const Tags& tags);
Status add_role_to_profile(Client& client, const std::string& profile, const std::string& role);
Status remove_role_from_profile(Client& client, const std::string& profile,
                                const std::string& role);
Status delete_instance_profile(Client& client, const std::string& name);

}  // namespace hive::cloud::aws
