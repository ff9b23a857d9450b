// The cluster's network on this machine: a bridge with the gateway address, a veth pair an
// instance.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "cloud/local/local.h"
#include "cloud/local/state.h"

namespace hive::cloud::local {

// The lowest N for which 10.77.N.0/24 overlaps no route, no address and no other cluster's record.
Result<int> choose_network(const Paths& paths, const std::string& subnet);

// Bridge, gateway address, and (only where bridged packets pass a FORWARD chain that drops) a rule
// that lets the bridge's own traffic through. What is there already is left.
Status ensure_network(const Paths& paths, const LocalCluster& cluster);

// The kernel's links, and the program that changes them.
struct LinkTool {
  std::function<bool(const std::string& link)> there;
  // `ip` with these words, and lines for its standard input.
  std::function<Status(const std::vector<std::string>& words, const std::string& input)> ip;
};
LinkTool link_tool();

// A veth pair: one end on the bridge, the other as eth0 in the network namespace of `pid`. What an
// earlier life of the instance left goes first; it may be just going by itself, with its namespace.
Status plug_in(const LocalCluster& cluster, int host_number, pid_t pid,
               const LinkTool& links = link_tool());

struct NetworkRemoval {
  int links = 0;
  int rules = 0;
};
// Removes the cluster's bridge, the links on it and its rules, known by their marks.
Result<NetworkRemoval> remove_network(const Paths& paths);

}  // namespace hive::cloud::local
