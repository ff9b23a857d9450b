// Target groups of Application and Network Load Balancers: a port of the instances, with a health
// check. Errors as in client.h. Source: Elastic Load Balancing API Reference, 2015-12-01.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/aws/elbv2.h"

namespace hive::cloud::aws {

struct TargetCheck {
  std::string protocol = "HTTP";
  std::string port = "7080";
  std::string path = "/healthz";
  std::string codes = "200";  // that mean health
  std::uint32_t interval_s = 5;
  std::uint32_t timeout_s = 3;  // less than the interval
  std::uint32_t unhealthy = 2;
  std::uint32_t healthy = 2;
  bool operator==(const TargetCheck&) const = default;
};

struct TargetGroup {
  std::string arn;
  std::string name;
  std::string protocol = "HTTP";  // HTTP of an application balancer, TCP of a network one
  std::uint16_t port = 0;         // of the instances
  std::string vpc;
  TargetCheck check;
};

struct TargetState {
  std::string instance;
  std::string state;   // "initial", "healthy", "unhealthy", "draining", "unused", "unavailable"
  std::string reason;  // "Target.NotRegistered"
  std::string description;
};

// All of the region.
Result<std::vector<TargetGroup>> describe_target_groups(Client& client);
// Those that the balancer's listeners send to.
Result<std::vector<TargetGroup>> target_groups_of(Client& client, const std::string& balancer);
Result<V2Attributes> target_group_attributes(Client& client, const std::string& arn);
// Its ARN. kAlreadyExists when one of the name is there with other settings.
Result<std::string> create_target_group(Client& client, const TargetGroup& spec, const Tags& tags);
Status modify_target_group(Client& client, const std::string& arn, const TargetCheck& check);
Status modify_target_group_attributes(Client& client, const std::string& arn,
                                      const V2Attributes& attributes);
// kFailedPrecondition while a listener sends to it.
Status delete_target_group(Client& client, const std::string& arn);

// kNotFound for an instance that does not run yet, or no more.
Status register_targets(Client& client, const std::string& arn,
                        const std::vector<std::string>& instances);
// Begins draining, which lasts as long as deregistration_delay.timeout_seconds says.
Status deregister_targets(Client& client, const std::string& arn,
                          const std::vector<std::string>& instances);
// Of those that are registered, and of those that drain.
Result<std::vector<TargetState>> describe_target_health(Client& client, const std::string& arn);
// Registered, and not on its way out.
bool is_registered(const TargetState& target);

}  // namespace hive::cloud::aws
