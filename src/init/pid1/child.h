// Starting the application as PID 1's child.
#pragma once

#include "init/pid1/kernel.h"
#include "init/pid1/options.h"

namespace hive::init {

// What init changes of its own for its work and gives back to its child.
struct Inherited {
  kernel::SignalSet mask = 0;
  kernel::SignalAction ttin{};
  kernel::SignalAction ttou{};
};

// The child's pid; or a negative errno. In a process group of its own, which has the terminal on
// descriptor 0 if there is one, and with signals as init found them.
int spawn(const Options& options, const Inherited& inherited);

}  // namespace hive::init
