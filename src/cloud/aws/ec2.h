// EC2, as far as hive needs it. Errors as in client.h. Times and sizes carry their units in the
// names. Source: Amazon EC2 API Reference, 2016-11-15.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/tags.h"

namespace hive::cloud::aws {

struct Vpc {
  std::string id;
  std::string cidr;
  Tags tags;
  bool is_default = false;
};

struct Subnet {
  std::string id;
  std::string zone;  // "eu-central-1a"
  std::string cidr;
  Tags tags;
  bool default_for_zone = false;
};

enum class ImageState { kPending, kAvailable, kFailed };

struct Image {
  std::string id;
  std::string name;
  std::string created;      // ISO 8601, so that the newest sorts last
  std::string root_device;  // "/dev/xvda"
  ImageState state = ImageState::kAvailable;
  std::string problem;  // why it failed, as AWS says
};

// One permission of a security group: from a network or from another group.
struct IngressRule {
  std::string protocol;  // "tcp", "udp", "icmp", a number ("50": ESP), "-1": all
  int from_port = -1;    // both -1 where the protocol has no ports
  int to_port = -1;
  std::string cidr;   // IPv4 or IPv6 network; empty when `group` is set
  std::string group;  // a security group's id
  auto operator<=>(const IngressRule&) const = default;
};

struct SecurityGroup {
  std::string id;
  std::string name;
  std::string vpc;
  std::vector<IngressRule> ingress;  // one entry per source
  Tags tags;
};

enum class MachineState { kPending, kRunning, kStopping, kStopped, kShuttingDown, kTerminated };
std::string_view to_string(MachineState state);

struct Machine {
  std::string id;
  MachineState state = MachineState::kPending;
  std::string type;
  std::string zone;
  std::string subnet;
  std::string address;  // private IPv4
  std::string image;
  std::string launched;  // ISO 8601
  std::string token;     // of the launch; empty = it had none
  Tags tags;
};
// It runs, or is about to.
inline bool is_up(const Machine& machine) {
  return machine.state == MachineState::kPending || machine.state == MachineState::kRunning;
}
// It has ended or ends, for good.
inline bool is_ending(const Machine& machine) {
  return machine.state == MachineState::kShuttingDown || machine.state == MachineState::kTerminated;
}
// By its tag, whatever its state.
inline bool is_manager(const Machine& machine) {
  return tag_of(machine.tags, kRoleTag) == "manager";
}

// What a machine is made of; also what a launch template holds.
struct LaunchSpec {
  std::string image;
  std::string type;              // empty in a template whose group names the types
  std::string instance_profile;  // by name
  std::vector<std::string> security_groups;
  std::string user_data;  // plain text; sent as base64
  std::string root_device;
  std::int64_t disk_gib = 0;
  Tags tags;  // of the machine and of its disk
  bool operator==(const LaunchSpec&) const = default;
};

struct LaunchTemplate {
  std::string id;
  std::string name;
  std::int64_t default_version = 0;
  std::int64_t latest_version = 0;
  Tags tags;
};

Result<std::vector<Vpc>> describe_vpcs(Client& client);
Result<std::vector<Subnet>> describe_subnets(Client& client, const std::string& vpc);
// `image` is an id ("ami-..."), or a name pattern of available images that `owner` (an account, or
// "self") has.
Result<std::vector<Image>> describe_images(Client& client, const std::string& image,
                                           const std::string& owner);
// The account's own images of that name, whatever their state.
Result<std::vector<Image>> describe_own_images(Client& client, const std::string& name);
// Of a machine's disks as they are; its id. The machine should be stopped. kAlreadyExists: the
// account has an image of that name.
Result<std::string> create_image(Client& client, const std::string& machine,
                                 const std::string& name, const std::string& description,
                                 const Tags& tags);

Result<std::vector<SecurityGroup>> describe_security_groups(Client& client,
                                                            const std::string& cluster);
// Its id. kAlreadyExists: the VPC has one of that name.
Result<std::string> create_security_group(Client& client, const std::string& name,
                                          const std::string& description, const std::string& vpc,
                                          const Tags& tags);
// kAlreadyExists when one of the rules is there. At least one rule.
Status authorize_ingress(Client& client, const std::string& group,
                         const std::vector<IngressRule>& rules);
Status revoke_ingress(Client& client, const std::string& group,
                      const std::vector<IngressRule>& rules);
// kFailedPrecondition while anything uses it.
Status delete_security_group(Client& client, const std::string& group);

// One machine; the same token gives the same machine. kResourceExhausted: capacity or limit.
Result<Machine> run_instance(Client& client, const LaunchSpec& spec, const std::string& subnet,
                             const std::string& token);
// Likewise, as the default version of a launch template says; `tags` are the machine's and its
// disk's. kNotFound: there is no template of that name.
Result<Machine> run_from_template(Client& client, const std::string& launch_template,
                                  const std::string& subnet, const Tags& tags,
                                  const std::string& token);
// What EC2 takes for a token: at most 64 characters. A longer one is shortened, and told apart by a
// hash.
std::string client_token(const std::string& text);
// Those of the cluster that are not terminated.
Result<std::vector<Machine>> describe_instances(Client& client, const std::string& cluster);
Status terminate_instances(Client& client, const std::vector<std::string>& ids);
// The last 64 KiB that it printed; empty where AWS has none yet.
Result<std::string> console_output(Client& client, const std::string& machine);

Result<std::vector<LaunchTemplate>> describe_launch_templates(Client& client,
                                                              const std::string& cluster);
// The default version's description: hive writes there what the version was made from.
Result<std::string> launch_template_note(Client& client, const std::string& id);
// Its id.
Result<std::string> create_launch_template(Client& client, const std::string& name,
                                           const LaunchSpec& spec, const std::string& note,
                                           const Tags& tags, const std::string& token);
// The number of the new version, which is not the default yet.
Result<std::int64_t> create_launch_template_version(Client& client, const std::string& id,
                                                    const LaunchSpec& spec, const std::string& note,
                                                    const std::string& token);
Status set_default_version(Client& client, const std::string& id, std::int64_t version);
Status delete_launch_template(Client& client, const std::string& id);

}  // namespace hive::cloud::aws
