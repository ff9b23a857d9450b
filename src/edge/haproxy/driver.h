// The Edge port over Debian's HAProxy (2.4 or later): one HAProxy process in a directory of its
// own, started, watched, reloaded when the structure changes, and otherwise steered over its
// socket. The process outlives the object: the next edge over the same directory adopts it, by its
// socket and the process's identity, with no connection lost. Owned by one thread, but for
// `on_ready`, which is called from threads of the edge's own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "edge/edge.h"

namespace hive::edge {

struct HaproxyOptions {
  std::string work_dir = "/run/hive/edge";
  std::string program = "haproxy";
  std::string node_id;  // whose tasks are preferred
  std::uint16_t health_port = 7080;
  Milliseconds deadline{3'000};    // of one exchange with HAProxy
  std::function<void()> on_ready;  // a probed task answers: call apply() again
};

// kNotFound or kUnsupported when HAProxy is not installed or too old.
Result<std::unique_ptr<Edge>> make_haproxy_edge(const HaproxyOptions& options, const Clock& clock);

}  // namespace hive::edge
