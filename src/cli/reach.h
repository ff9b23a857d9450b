// Finding the cluster that a command is about, and a live manager of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/context.h"
#include "engine/engine.h"

namespace hive::cli {

// /var/lib/hive (HIVE_STATE_DIR), /run/hive (HIVE_RUN_DIR).
std::string state_parent();
std::string run_parent();

// Names of the clusters that have a directory in the state parent, sorted.
std::vector<std::string> local_clusters();

// The name of the local cluster that the command is about: --cluster, x-hive.name of the Compose
// file here, or the only one there is. kNotFound when there is none (or none of that name),
// kInvalidArgument when there are several to choose from.
Result<std::string> pick_cluster(const Globals& globals);

// unix:// addresses of the cluster's managers' engines, whether they live or not.
std::vector<std::string> manager_engines(const std::string& cluster);

// The credentials of the cluster's own registry, when `registry` is its address; else empty.
engine::RegistryAuth cluster_registry_auth(const std::string& cluster, const std::string& registry);

// Told, in one sentence, what is waited for.
using Notice = std::function<void(const std::string&)>;

// An engine to talk to, as docs/commands.md says. Of a cluster, a manager that answers; between two
// leaders of its Swarm waits for the next, 25 s at most.
struct Reached {
  std::unique_ptr<engine::Engine> engine;
  std::string host;  // "unix:///...", for messages
};
Result<Reached> reach_engine(const Globals& globals, const Notice& notice = {});

}  // namespace hive::cli
