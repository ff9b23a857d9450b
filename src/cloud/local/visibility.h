// Which files of this machine an instance of the local cloud sees. Its root is private: an overlay
// over this machine's own root file system, with directories of its own over some of it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/local/local.h"

namespace hive::cloud::local {

struct RunningInstance {
  std::string hostname;
  std::string role;  // "manager" or "worker"
  pid_t pid = 0;     // of its first process, as this machine counts
};
// By host name. Nothing when there is no such cluster; needs no daemon.
Result<std::vector<RunningInstance>> running_instances(const std::string& cluster);

// Whether the path is there in its root; symbolic links lead on within it. Needs root.
bool sees(const RunningInstance& instance, const std::string& path);

// Whether an instance that is launched now would see the path: it is on this machine's root file
// system (what is mounted on that is not seen), and nothing of the instance's own covers it.
bool new_instance_sees(const Paths& paths, const std::string& path);

// Directories that an instance has of its own: those of this machine are covered.
std::vector<std::filesystem::path> covered_directories(const Paths& paths);

}  // namespace hive::cloud::local
