// What an instance's metadata service says of it, by IMDSv2 (a token by PUT, then reads that carry
// it). Source: EC2 User Guide, "Instance metadata and user data". Errors: kNotFound for a path that
// is not there; kUnavailable when there is no service. One thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/credentials.h"

namespace hive::cloud::aws {

// The time of one request to it, or to a container's endpoint, and the most that either answers:
// both are on the machine itself.
inline constexpr Milliseconds kMetadataDeadline{2'000};
inline constexpr std::size_t kMaxMetadataBytes = 64U << 10;

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
