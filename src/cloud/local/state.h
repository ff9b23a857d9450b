// What the local cloud keeps on disk about a cluster: cloud.json and one file an instance. Records
// are written before the effect that they describe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cloud/local/local.h"

namespace hive::cloud::local {

struct InstanceRecord {
  std::string id;
  std::string hostname;
  std::string role;
  std::string address;
  std::string token;                              // of the launch request
  int host_number = 0;                            // last octet of the address
  InstanceState state = InstanceState::kPending;  // as intended; what lives is asked of the kernel
  std::int64_t launched_unix_ms = 0;
  pid_t pid = 0;  // of its pid 1, with start_time its identity
  unsigned long long start_time = 0;
};

Status save_instance(const Paths& paths, const InstanceRecord& record);
// kCorrupt names the file.
Result<InstanceRecord> load_instance(const Paths& paths, const std::string& id);
Result<std::vector<InstanceRecord>> load_instances(const Paths& paths);

Status save_cluster(const Paths& paths, const LocalCluster& cluster);
Result<LocalCluster> load_cluster(const Paths& paths);

// The marks by which things of a cluster are known without any file.
// In the environment of each process: "HIVE_LOCAL_CLOUD=/var/lib/hive/shop".
std::string environment_mark(const Paths& paths);
// The hardware address of its bridge, made from its state directory.
std::string bridge_mark(const Paths& paths);
// The comment of its firewall rules.
std::string firewall_mark(const Paths& paths);
// Its place in every cgroup hierarchy: "hive/shop-1a2b3c4d", the number being of the state
// directory, since another one may have a cluster of that name.
std::string cgroup_place(const Paths& paths);

}  // namespace hive::cloud::local
