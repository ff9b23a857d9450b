// Filebeat's HTTP endpoint (http.enabled), where it is on. Its registry counts events that the
// output dropped as acknowledged; the endpoint tells of those.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hive::logs {

struct FilebeatStats {
  std::uint64_t active = 0;  // events in the pipeline, of all files: libbeat.pipeline.events.active
  std::uint64_t dropped = 0;  // by the output, since start: libbeat.output.events.dropped
};

// kCorrupt when the numbers are not there.
Result<FilebeatStats> parse_filebeat_stats(std::string_view body);

// GET with a deadline of 2 s, in the network namespace of the process (0 = this process's own).
Result<std::string> get_from(const std::string& url, int pid);

}  // namespace hive::logs
