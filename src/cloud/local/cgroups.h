// The cgroups of instances: /hive/CLUSTER/ID in every hierarchy of version 1, or in version 2's.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace hive::cloud::local {

// The mount points of all cgroup hierarchies of this machine, from /proc/self/mounts.
std::vector<std::filesystem::path> cgroup_roots();

// Makes PLACE and PLACE/init (version 2 allows no processes beside child groups) everywhere.
Status make_cgroups(const std::string& place);
// Moves the process into PLACE/init everywhere.
Status enter_cgroups(const std::string& place, pid_t pid);
// All processes in PLACE and below, in any hierarchy.
std::vector<pid_t> cgroup_members(const std::string& place);
// Removes PLACE and what is below; returns how many directories went. Groups with processes stay
// and are an error.
Result<int> remove_cgroups(const std::string& place);

}  // namespace hive::cloud::local
