// The cluster's image registry: Debian's docker-registry with user and password on the gateway.
#pragma once

#include <sys/types.h>

#include <string>

#include "cloud/local/local.h"

namespace hive::cloud::local {

// docker's config.json with the registry's credentials, for all addresses by which it is known.
std::string registry_docker_config(const LocalCluster& cluster);

// Starts it unless it runs (pidfile and environment mark), and waits until it answers.
Status ensure_registry(const Paths& paths, const LocalCluster& cluster);

}  // namespace hive::cloud::local
