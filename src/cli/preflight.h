// What must hold before `hive up` touches anything. Probes (preflight_probe.cc) gather facts,
// checks (preflight_check.cc) are pure, and every finding says what to do. All are reported at
// once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/record.h"
#include "cloud/local/visibility.h"
#include "config/compose.h"

namespace hive::cli {

class Context;

struct PreflightFinding {
  bool fault = true;  // false: a warning
  std::string what;
  std::string hint;
  bool operator==(const PreflightFinding&) const = default;
};
using PreflightFindings = std::vector<PreflightFinding>;

// A file that a service needs on its nodes and that some lack.
struct MissingFile {
  bool on_new_nodes = false;  // an instance that is launched would not see it
  bool on_this_machine = false;
  std::vector<cloud::local::RunningInstance> nodes;  // the running ones that lack it
};

struct PreflightFacts {
  bool root = true;
  std::vector<std::string> missing_programs;  // of kNeededPrograms
  std::vector<std::string> missing_kernel;    // "overlay file systems", "vxlan links", ...
  bool kernel_ip_vs = true;
  bool kernel_nfs = true;
  std::int64_t memory_available = 0;                 // bytes; 0 = unknown
  std::int64_t disk_free = 0;                        // bytes where the state is kept; 0 = unknown
  std::map<std::uint16_t, std::string> busy;         // listener port -> "nginx (pid 17)"
  std::uint32_t instances_running = 0;               // of this cluster already
  std::map<std::string, MissingFile> missing_files;  // by path, of what services need on nodes
  std::map<std::string, std::string> bad_certificates;      // path -> why it is none
  std::string engine_version;                               // of this machine's dockerd
  std::optional<Record> record;                             // of a cluster of that name
  std::string corrupt_record;                               // message, when it is damaged
  std::string registry_address;                             // of the cluster's own registry
  std::optional<std::set<std::string>> images_in_registry;  // "repo:tag"; nothing = not known yet
  std::map<std::string, Error> outside_images;  // of other registries: what those say against them
  std::map<std::string, std::string> bad_archives;  // path -> why it is no image
};

inline constexpr std::int64_t kMemoryPerInstance = 200LL << 20;
inline constexpr std::int64_t kDiskNeeded = 2LL << 30;

std::vector<PreflightFinding> check_preflight(const PreflightFacts& facts,
                                              const config::Spec& spec);
// Versions whose mesh cuts connections (moby#51651): 29.0.0 to 29.1.4, 25.0.13, 25.0.14.
bool engine_version_known_bad(const std::string& version);

// Of the images that are not in the cluster's own registry those that a node could not pull.
std::map<std::string, Error> outside_image_faults(const config::Spec& spec,
                                                  const std::string& own_registry);

// What of these services' files the nodes of the local cluster lack. `launches`: instances are to
// be launched too. Nothing is found where there is no such cluster and none is launched.
void probe_files(const config::Spec& spec, const std::string& cluster, bool launches,
                 PreflightFacts& facts);
// What can be known of the nodes before a stack is deployed on a local cluster that runs.
PreflightFacts probe_deploy(const Context& context, const config::Spec& spec);

PreflightFacts probe_preflight(const config::Spec& spec);

// Probes and checks.
std::vector<PreflightFinding> preflight_up(Context& context, const config::Spec& spec);
// Prints them to standard error; false when there is a fault among them.
bool print_findings(Context& context, const std::vector<PreflightFinding>& findings);

}  // namespace hive::cli
