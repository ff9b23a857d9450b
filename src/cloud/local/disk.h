// The disk of an instance: the upper layer over this machine's root, and its engine's data.
#pragma once

#include <string>

#include "cloud/local/local.h"

namespace hive::cloud::local {

// Makes what is missing below the instance's directory. This machine's /root, /home, /etc/docker
// and all directories of hive are covered by empty ones. `docker_config` becomes
// /root/.docker/config.json when not empty.
Status prepare_disk(const Paths& paths, const std::string& id, const std::string& docker_config);
// A fresh /run, as after a boot.
Status prepare_run(const Paths& paths, const std::string& id);
// Removes the whole disk.
Status remove_disk(const Paths& paths, const std::string& id);

}  // namespace hive::cloud::local
