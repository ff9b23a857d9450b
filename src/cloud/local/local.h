// The local cloud: instances as network namespaces on this machine, behind the port Cloud.
//
//   create_cluster()   writes the record of a new cluster (or reads the one that is there)
//   ensure_server()    starts its daemon, which makes the network and the registry
//   connect()          the port Cloud, spoken to the daemon over its root-only unix socket
//   remove_everything() undoes all of it, with the daemon alive or dead
//
// Instances, balancer and registry outlive the daemon: a new one adopts them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/cloud.h"

namespace hive::cloud::local {

// Where a cluster's things are. The parents come from HIVE_STATE_DIR (/var/lib/hive) and
// HIVE_RUN_DIR (/run/hive).
struct Paths {
  std::string cluster;
  std::filesystem::path state;  // /var/lib/hive/CLUSTER, 0700
  std::filesystem::path run;    // /run/hive/CLUSTER, 0700

  std::filesystem::path cluster_file() const { return state / "cloud.json"; }
  std::filesystem::path instances() const { return state / "instances"; }
  std::filesystem::path instance(const std::string& id) const { return instances() / id; }
  std::filesystem::path instance_run(const std::string& id) const {
    return run / "instances" / id / "run";
  }
  std::filesystem::path socket() const { return run / "cloud.sock"; }
  std::filesystem::path server_log() const { return state / "cloud-server.log"; }
  std::filesystem::path binary() const { return state / "bin" / "hive"; }
  // Log lines of all instances: what shared storage is elsewhere. It outlives the instances.
  std::filesystem::path logs() const { return state / "logs"; }
  std::filesystem::path init_binary() const { return state / "bin" / "hive-init"; }
};
// kInvalidArgument for a name that is no cluster name: [a-z][a-z0-9-]{0,30}, no final '-'.
Result<Paths> paths_of(const std::string& cluster);

// What is known of a cluster once it is created. Kept in cloud.json, 0600.
struct LocalCluster {
  std::string name;
  int network = 0;          // N of 10.77.N.0/24
  std::string subnet;       // "10.77.3.0/24"
  std::string gateway;      // "10.77.3.1": the host's own address on the bridge
  std::string bridge;       // "hivebr3"
  std::string registry;     // "registry.hive:5001", as instances know it
  std::string registry_at;  // "10.77.3.1:5001", as this machine reaches it
  std::string registry_user;
  std::string registry_password;
};

// Chooses a free network (or takes `subnet`, "10.77.N.0/24") and writes the record before anything
// is made; reads it when it is there. kCorrupt when the record is unreadable: `hive down` removes
// such a cluster. kResourceExhausted when no network is free, kAlreadyExists when that one is not,
// or the cluster has another.
Result<LocalCluster> create_cluster(const std::string& name, const std::string& subnet = "");
// kNotFound when there is no such cluster.
Result<LocalCluster> read_cluster(const std::string& name);
// Names of clusters that have a state or run directory here.
Result<std::vector<std::string>> list_clusters();

// Starts `hive cloud-server` unless it runs, and waits until it answers: bridge and registry are up
// then. `hive_binary` is copied into the state directory, with the hive-init beside it, and used
// from there (empty = this program's own file), so that a rebuild does not pull it away from under
// running instances.
Status ensure_server(const std::string& name, const std::string& hive_binary = "",
                     Milliseconds deadline = Milliseconds(20'000));

// The cluster's cloud. The connection is made per call, so a restarted server is no difference.
// One thread at a time each; several clients at once are fine.
std::unique_ptr<Cloud> connect(const std::string& name);
// The same inside a manager instance, or any other socket.
std::unique_ptr<Cloud> connect_socket(const std::string& socket_path);
// Where a manager instance finds its cloud.
inline constexpr const char* kInstanceCloudSocket = "/run/hive/cloud.sock";

// User data of an instance of this cloud: starts the engine, `hive agent`, and on managers
// `hive controller`, as services of instance-init.
std::string default_user_data(const LocalCluster& cluster, const std::string& role);

struct CleanupReport {
  int processes = 0;
  int links = 0;
  int firewall_rules = 0;
  int mounts = 0;
  int cgroups = 0;
  int directories = 0;
  bool nothing() const {
    return processes + links + firewall_rules + mounts + cgroups + directories == 0;
  }
};
// Ends and removes everything of the cluster on this machine and nothing else, at once (a power cut
// for its instances). Needs no state file and no daemon: things are known by their marks (process
// environment, cgroup, link address, rule comment, directory). Idempotent. An error names what
// could not be removed; the rest is gone then.
Result<CleanupReport> remove_everything(const std::string& cluster);

}  // namespace hive::cloud::local
