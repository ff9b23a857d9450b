// Waiting for a state of a real hive-init, with a bound that is reached only when something hangs.
#pragma once

#include <poll.h>

#include "init/client.h"

namespace hive::init::testing {

// The state it was in last: `wanted`, unless it never came.
inline State wait_for(const Init& init, State wanted) {
  State last = State::kIdle;
  for (int tries = 0; tries < 10'000; ++tries) {
    const auto state = init.state();
    if (state) last = *state;
    if (state && last == wanted) break;
    if (!state && state.error().code == Errc::kNotFound) break;
    ::poll(nullptr, 0, 2);
  }
  return last;
}

}  // namespace hive::init::testing
