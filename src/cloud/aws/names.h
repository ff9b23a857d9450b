// How what hive makes for a cluster is called. A cluster's name is 1 to 40 letters, digits, dashes.
#pragma once

#include <cstdint>
#include <string>

namespace hive::cloud::aws {

struct Names {
  explicit Names(std::string cluster_name);

  std::string cluster;   // "shop"
  std::string balancer;  // "hive-shop"; shortened, and told apart by a hash, beyond 32 letters
  std::string balancer_group;  // security groups
  std::string node_group;
  std::string manager_role;  // also the instance profile's name
  std::string worker_role;
  std::string manager_template;  // launch templates
  std::string worker_template;
  std::string worker_group;                       // the Auto Scaling group
  std::string parameter_prefix;                   // "/hive/shop/"
  std::string manager(std::size_t number) const;  // "shop-manager-1": the tag Name, counted from 1
  std::string worker() const;
  // A target group of that protocol and port of the instances: "hive-shop-http-8080". At most 32
  // letters; which ones are the cluster's say their tags alone.
  std::string target_group(const std::string& protocol, std::uint16_t port) const;
  // Whether the name may be one of the cluster's target groups.
  bool is_target_group(const std::string& name) const;

 private:
  std::string target_groups_;  // what their names begin with
};

inline constexpr const char* kLaunchHook = "hive-launch";
inline constexpr const char* kTerminateHook = "hive-terminate";

}  // namespace hive::cloud::aws
