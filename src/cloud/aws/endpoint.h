// Where each service is, and under which names it is signed for.
// Sources: AWS General Reference (service endpoints), SDKs and Tools Reference Guide
// ("Service-specific endpoints": AWS_ENDPOINT_URL and its kin).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cloud/aws/credentials.h"

namespace hive::cloud::aws {

enum class Service { kEc2, kAutoScaling, kElb, kElbV2, kIam, kSts, kCloudWatch, kEcr, kSsm };
enum class Protocol { kEc2, kQuery, kJson };

struct ServiceInfo {
  Service service;
  std::string_view name;          // as the AWS CLI calls it: "autoscaling"; for messages
  std::string_view prefix;        // of the host name: "api.ecr"
  std::string_view signing_name;  // "ecr"; also the prefix of IAM actions
  std::string_view variable;      // of AWS_ENDPOINT_URL_...: "AUTO_SCALING"
  std::string_view version;       // of the query API; empty for JSON
  std::string_view target;        // of x-amz-target; empty for query
  Protocol protocol;
  bool global = false;  // IAM: one endpoint for all regions
};

const ServiceInfo& info_of(Service service);

struct Endpoint {
  std::string base_url;        // "https://ec2.eu-central-1.amazonaws.com"; no slash at the end
  std::string host;            // with the port when it is not the scheme's own
  std::string signing_region;  // the region, or that of a global service
};

// AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's `services` section and endpoint_url,
// then AWS's own; AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true skips all but the last.
// kInvalidArgument: an override that is no URL, or no region where one is needed.
Result<Endpoint> endpoint_of(Service service, const std::string& region,
                             const Environment& environment, const std::string& profile);

}  // namespace hive::cloud::aws
