// Processes beside the cloud's daemon that outlive it: known by a pidfile with their start time.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cloud/local/local.h"

namespace hive::cloud::local {

// The pid when the process of this pidfile lives, else 0.
pid_t running_daemon(const Paths& paths, const std::string& name);
// Starts it with the cluster's mark in its environment and the log NAME.log in the state directory.
Result<pid_t> start_daemon(const Paths& paths, const std::string& name,
                           const std::vector<std::string>& argv);
Status write_pidfile(const Paths& paths, const std::string& name, pid_t pid);

// Fails with kAlreadyExists, naming the port and (where it can be found) the process that holds it,
// when nothing can listen there.
Status check_port_free(const std::string& address, int port);

}  // namespace hive::cloud::local
