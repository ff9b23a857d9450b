// tini's options and environment, as far as hive-init has them (all but -l).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hive::init {

struct Options {
  char** command = nullptr;  // the application's argv, within init's own
  char* const* environment = nullptr;
  bool subreaper = false;       // -s, TINI_SUBREAPER
  bool whole_group = false;     // -g, TINI_KILL_PROCESS_GROUP: signals go to the process group
  bool warn_on_reap = false;    // -w
  int verbosity = 1;            // -v, TINI_VERBOSITY
  int parent_death_signal = 0;  // -p SIGTERM
  uint64_t zero_codes[4] = {};  // -e CODE: exit codes that become 0, a bit each
};

// Returns the code to exit with, or -1 to go on. What there is to say has been said.
int parse_options(int argc, char** argv, char* const* environment, Options& out);

}  // namespace hive::init
