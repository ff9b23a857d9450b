// What an instance's metadata service says of it, by IMDSv2 (a token by PUT, then reads that carry
// it). Source: EC2 User Guide, "Instance metadata and user data". Errors: kNotFound for a path that
// is not there; kUnavailable when there is no service. One thread.
#pragma once

#include <string>

#include "base/result.h"
#include "cloud/aws/credentials.h"

namespace hive::cloud::aws {

// AWS_EC2_METADATA_SERVICE_ENDPOINT, else "http://169.254.169.254"; no slash at the end.
std::string metadata_endpoint(const Environment& environment);

class Metadata {
 public:
  explicit Metadata(std::string endpoint) : endpoint_(std::move(endpoint)) {}
  // Below /latest/: "meta-data/instance-id".
  Result<std::string> get(const std::string& path);

 private:
  std::string endpoint_;
  std::string token_;
};

}  // namespace hive::cloud::aws
