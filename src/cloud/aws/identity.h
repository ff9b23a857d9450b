// How a machine proves who it is without a secret of its own: it signs a GetCallerIdentity call
// with its instance role's credentials, and whoever wants to know sends that call to STS, which
// answers with the role and, as the session's name, the instance. The signature covers the
// cluster's name, so that a proof that was made for somebody else is none here, and STS refuses one
// that is older than its own few minutes. The secret key never leaves the machine. Source: "Create
// a signed AWS API request"; STS GetCallerIdentity; the same is done by Vault's AWS login and by
// Kubernetes' aws-iam-authenticator.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "cloud/aws/account.h"
#include "cloud/aws/credentials.h"
#include "cloud/aws/endpoint.h"
#include "net/http_client.h"
#include "os/secret.h"

namespace hive::cloud::aws {

// The call's headers that are the signer's. Its method, path, body and place are known to both.
struct Proof {
  std::string authorization;
  std::string date;  // x-amz-date
  os::Secret token;  // x-amz-security-token
  bool operator==(const Proof&) const = default;
};
Json to_json(const Proof& proof);
Result<Proof> proof_from_json(const Json& json);  // kInvalidArgument

// `sts`: of the region that both are in.
Proof prove(const std::string& cluster, const Credentials& credentials, const Endpoint& sts,
            WallTime now);

// Whom STS names. `ask` sends to the STS that the asker trusts: nothing in a proof says where to.
// kInvalidArgument: it is no proof for this cluster; kUnauthenticated: STS refuses it; else the
// error of asking.
using Ask = std::function<Result<net::Response>(const net::Request&)>;
Result<Identity> confirm(const Proof& proof, const std::string& cluster, const Ask& ask);

}  // namespace hive::cloud::aws
