// What pid 1 makes of its fresh namespaces: a private root, a name, a network.
#pragma once

#include <string>

#include "base/result.h"

namespace hive::cloud::local {

struct BootFile {
  std::string id;
  std::string hostname;
  std::string address;
  std::string gateway;
  std::string disk;    // upper, work, root, docker
  std::string run;     // becomes /run
  std::string base;    // the root below the disk; "/", this machine's, where the file names none
  std::string binary;  // becomes /usr/local/bin/hive; empty: the root has its own, or none yet
  std::string logs;    // becomes /var/lib/hive/logs
  std::string init_binary;  // becomes /usr/local/bin/hive-init; empty: likewise
  // Inside the instance, run at each boot with no words. Empty: `hive instance-init user-data`.
  std::string boot_program;
};
Result<BootFile> read_boot_file(const std::string& path);

// An overlay over the base becomes the root; fresh /proc, /sys and /tmp; cgroups bound.
Status make_root(const BootFile& boot);
// lo, eth0 (put here from outside), the default route, the metadata address.
Status configure_network(const BootFile& boot);

}  // namespace hive::cloud::local
