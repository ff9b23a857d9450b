// Signature Version 4: the one thing of AWS's client that is written here, since no library in the
// registries has it (curl's own signer leaves queries unsorted). Tested with AWS's published
// vectors. Source: AWS IAM User Guide, "Create a signed AWS API request".
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "cloud/aws/credentials.h"
#include "net/http_client.h"

namespace hive::cloud::aws {

struct SigningScope {
  std::string region;   // "eu-central-1"
  std::string service;  // the signing name: "ec2", "elasticloadbalancing"
};

// Adds x-amz-date, x-amz-security-token (of temporary credentials) and authorization to the
// request's headers. All headers that are there are signed, and `host`: what the HTTP client will
// send as Host, with the port unless it is the scheme's own. Paths are signed as for every service
// but S3: normalised and encoded once more.
void sign(net::Request& request, std::string_view host, const Credentials& credentials,
          const SigningScope& scope, WallTime now);

}  // namespace hive::cloud::aws
