// Application and Network Load Balancers, as far as hive needs them; their target groups stand in
// target_group.h. Errors as in client.h. ARNs are ids here: calls take nothing else.
// Source: Elastic Load Balancing API Reference, 2015-12-01.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/tags.h"

namespace hive::cloud::aws {

enum class BalancerType { kClassic, kApplication, kNetwork };
// The words of x-hive.load_balancer.type.
std::string_view to_string(BalancerType type);
// "a Classic Load Balancer", for sentences.
std::string in_words(BalancerType type);

struct V2Balancer {
  std::string arn;
  std::string name;
  BalancerType type = BalancerType::kApplication;
  std::string dns_name;
  bool internal = false;
  std::set<std::string> subnets;
  std::set<std::string> security_groups;
};

struct V2Listener {
  std::string arn;
  std::uint16_t port = 0;
  std::string protocol = "HTTP";  // HTTP, HTTPS; TCP, TLS
  std::string certificate;        // ACM ARN, for HTTPS and TLS
  std::string target_group;       // by ARN; all of its requests go there
};

// By AWS's own names: "load_balancing.cross_zone.enabled" -> "true".
using V2Attributes = std::map<std::string, std::string>;

// kNotFound.
Result<V2Balancer> describe_v2_balancer(Client& client, const std::string& name);
Result<V2Attributes> v2_balancer_attributes(Client& client, const std::string& arn);
Result<std::vector<V2Listener>> describe_v2_listeners(Client& client, const std::string& balancer);
// Of balancers, listeners and target groups, by ARN.
Result<std::map<std::string, Tags>> v2_tags(Client& client, const std::vector<std::string>& arns);

// With its ARN and DNS name. Asked for again with the same settings it is the same balancer.
Result<V2Balancer> create_v2_balancer(Client& client, const V2Balancer& spec, const Tags& tags);
// Only the attributes that are named.
Status modify_v2_balancer(Client& client, const std::string& arn, const V2Attributes& attributes);
// Its listeners too. One that is gone already is no fault.
Status delete_v2_balancer(Client& client, const std::string& arn);

Status create_v2_listener(Client& client, const std::string& balancer, const V2Listener& spec,
                          const Tags& tags);
// The listener of the spec's ARN becomes as the spec says, without a moment in which it is not
// there.
Status modify_v2_listener(Client& client, const V2Listener& spec);
Status delete_v2_listener(Client& client, const std::string& arn);

}  // namespace hive::cloud::aws
