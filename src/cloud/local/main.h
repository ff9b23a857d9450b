// Entries of the local cloud's hidden subcommands (see local.h). argv[0] is the subcommand's name.
#pragma once

namespace hive::cloud::local {

// Pid 1 of an instance: `hive instance-init`.
int instance_init_main(int argc, char** argv);

// The daemon of a cluster: `hive cloud-server --cluster NAME`.
int cloud_server_main(int argc, char** argv);

}  // namespace hive::cloud::local
