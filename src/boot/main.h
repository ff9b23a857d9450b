// `hive node-boot`: the last command of an EC2 machine's user data (cloud/aws/user_data.h). Starts
// the engine, makes it a node of its cluster's Swarm, and starts hive's daemons, now and at later
// boots. Safe to run again. Exit code 0 when the machine is a node.
#pragma once

namespace hive::boot {

int node_boot_main(int argc, char** argv);

}  // namespace hive::boot
