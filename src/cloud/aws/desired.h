// What a configuration asks of AWS, whole: pure values, made from the settings and the place,
// compared by the planner with the world. Things are referred to by name here (security groups, the
// launch template), since their ids are not known before they are made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cloud/aws/autoscaling.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/elb.h"
#include "cloud/aws/elbv2.h"
#include "cloud/aws/names.h"
#include "cloud/aws/tags.h"
#include "cloud/aws/target_group.h"

namespace hive::cloud::aws {

// The configuration's part that concerns AWS (x-hive, checked by src/config).
struct Settings {
  std::string cluster;
  std::string region;
  std::string vpc;                   // tag Name or id; empty = the default VPC
  std::vector<std::string> subnets;  // tags Name or ids; empty = one of each zone
  std::string image;                 // id or name pattern
  std::string image_owner;
  std::string package;  // see user_data.h
  std::string package_sha256;
  std::uint32_t managers = 3;
  std::string manager_type;
  std::uint32_t workers_min = 0;
  std::uint32_t workers_max = 0;
  std::vector<std::string> worker_types;
  std::uint32_t spot_percent = 0;
  std::uint32_t warm_workers = 0;  // in the workers' warm pool; 0: there is none
  bool warm_running = false;       // they wait running, else stopped
  std::int64_t disk_gib = 30;
  BalancerType balancer = BalancerType::kClassic;
  // As of a Classic one: what they are at a balancer of another type follows from it.
  std::vector<BalancerListener> listeners;
  bool internal = false;
  std::vector<std::string> sources;  // networks that may connect to the listeners
  std::uint32_t draining_s = 300;
  std::vector<std::string> repositories;
  // What CloudWatch is asked for each minute, of the balancer: targets of the autoscaler.
  std::uint32_t balancer_figures = 0;
};

// An application or a network balancer with what is behind it. Security groups, and the target
// groups of listeners, by name.
struct DesiredV2 {
  V2Balancer balancer;
  V2Attributes attributes;
  std::vector<V2Listener> listeners;                 // by port
  std::map<std::string, TargetGroup> target_groups;  // by name
  V2Attributes target_attributes;                    // of each of them
};

// Where it is put: found in the account, never made by hive.
struct Place {
  std::string vpc;
  std::vector<Subnet> subnets;  // at most one of a zone, by zone
  Image image;
};

struct Desired {
  explicit Desired(const std::string& cluster) : names(cluster) {}

  Names names;
  Place place;
  // By name; a rule's `group` is a name too.
  std::map<std::string, std::vector<IngressRule>> security_groups;
  std::map<std::string, Json> roles;  // policies by name
  std::vector<std::string> repositories;
  Json lifecycle_policy;
  BalancerType balancer_type = BalancerType::kClassic;
  Balancer balancer;  // where it is Classic; security groups by name
  BalancerAttributes attributes;
  DesiredV2 v2;              // where it is not
  bool brings_hive = false;  // by a package, or in an image of one's own
  std::uint32_t managers = 0;
  LaunchSpec manager;  // security groups by name; without the tag Name
  LaunchSpec worker;
  GroupSpec workers;  // the launch template and the target groups by name
  std::vector<LifecycleHook> hooks;
  std::optional<WarmPool> warm_pool;

  // The tags of a thing with that role.
  Tags tags(const std::string& role) const;
};

Desired desired_of(const Settings& settings, const Place& place);

// What a launch template's version was made from, in few words: "image=ami-1 disk=30 ...". Security
// groups by id here: a group that was made anew is another one.
std::string template_note(const LaunchSpec& spec);

}  // namespace hive::cloud::aws
