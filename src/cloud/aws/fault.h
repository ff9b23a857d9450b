// What AWS says when a call fails, and what it means in the house's terms (base/result.h).
// Sources: the error code lists of each API's reference; botocore's list of codes to retry.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "net/http_client.h"

namespace hive::cloud::aws {

enum class FaultKind {
  kThrottled,        // Errc::kThrottled
  kPassing,          // the service's own trouble: kUnavailable
  kUnauthenticated,  // no, wrong or ended credentials
  kDenied,           // kPermissionDenied; the message names action and resource
  kNotFound,
  kExists,     // kAlreadyExists
  kCapacity,   // AWS has no such machine now: kResourceExhausted with retry_after
  kElsewhere,  // not in this zone, perhaps in another: likewise without retry_after
  kLimit,      // the account's quota: likewise without retry_after
  kInUse,      // something else still holds it: kFailedPrecondition with retry_after
  kInvalid,    // kInvalidArgument
  kOther,      // by the HTTP status
};

struct Fault {
  int status = 0;
  std::string code;     // "InvalidGroup.NotFound"; empty when the answer has none
  std::string message;  // AWS's own words
  std::optional<Milliseconds> retry_after;
};

// Of an answer that is no 2xx, in any of the three protocols (query, EC2, JSON). Never fails: what
// does not parse has an empty code.
Fault read_fault(const net::Response& response);

FaultKind kind_of(const Fault& fault);

// "ec2 CreateSecurityGroup: you may not ec2:CreateSecurityGroup on arn:...". `action` is the IAM
// name of what was called.
Error to_error(const Fault& fault, std::string_view service, std::string_view call,
               std::string_view action);

}  // namespace hive::cloud::aws
