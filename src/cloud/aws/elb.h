// The Classic Load Balancer, as far as hive needs it. Errors as in client.h.
// Source: Elastic Load Balancing API Reference, 2012-06-01.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/tags.h"

namespace hive::cloud::aws {

struct BalancerListener {
  std::uint16_t port = 0;
  std::uint16_t instance_port = 0;
  std::string protocol = "HTTP";           // HTTP, HTTPS, TCP, SSL
  std::string instance_protocol = "HTTP";  // HTTP or TCP
  std::string certificate;                 // ACM ARN, for HTTPS and SSL
  auto operator<=>(const BalancerListener&) const = default;
};

struct BalancerHealth {
  std::string target = "HTTP:7080/healthz";
  std::uint32_t interval_s = 5;
  std::uint32_t timeout_s = 3;  // less than the interval
  std::uint32_t unhealthy = 2;
  std::uint32_t healthy = 2;
  bool operator==(const BalancerHealth&) const = default;
};

struct BalancerAttributes {
  bool draining = false;
  std::uint32_t draining_timeout_s = 300;
  bool cross_zone = false;
  std::uint32_t idle_timeout_s = 60;
  bool operator==(const BalancerAttributes&) const = default;
};

struct Balancer {
  std::string name;
  std::string dns_name;
  bool internal = false;
  std::set<std::string> subnets;
  std::set<std::string> security_groups;
  std::set<BalancerListener> listeners;
  BalancerHealth health;
  std::set<std::string> instances;
};

struct InstanceHealth {
  std::string instance;
  std::string state;        // "InService", "OutOfService", "Unknown"
  std::string description;  // "Instance deregistration currently in progress." while draining
};

// kNotFound.
Result<Balancer> describe_balancer(Client& client, const std::string& name);
Result<Tags> balancer_tags(Client& client, const std::string& name);
Result<BalancerAttributes> balancer_attributes(Client& client, const std::string& name);
// Its DNS name. Asked for again with the same settings it is the same balancer.
Result<std::string> create_balancer(Client& client, const Balancer& spec, const Tags& tags);
Status delete_balancer(Client& client, const std::string& name);
Status create_listeners(Client& client, const std::string& name,
                        const std::vector<BalancerListener>& listeners);
Status delete_listeners(Client& client, const std::string& name,
                        const std::vector<std::uint16_t>& ports);
Status configure_health_check(Client& client, const std::string& name,
                              const BalancerHealth& health);
Status modify_balancer(Client& client, const std::string& name,
                       const BalancerAttributes& attributes);
Status register_instances(Client& client, const std::string& name,
                          const std::vector<std::string>& instances);
// Begins draining; describe_instance_health() shows it.
Status deregister_instances(Client& client, const std::string& name,
                            const std::vector<std::string>& instances);
Result<std::vector<InstanceHealth>> describe_instance_health(Client& client,
                                                             const std::string& name);

}  // namespace hive::cloud::aws
