// What a service wants done with its log lines, from x-hive.logs of its Compose file.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hive::model {

// A Filebeat that ships the service's files. They are not collected then: hive proves from
// Filebeat's registry that each line was acknowledged.
struct FilebeatPlace {
  std::string
      registry;  // directory that holds meta.json, such as /var/lib/filebeat/registry/filebeat
  bool on_node = false;   // it runs on the node, and `registry` is a path there; else inside the
                          // container
  std::string stats_url;  // of its HTTP endpoint, such as http://127.0.0.1:5066/stats; empty = off
  bool operator==(const FilebeatPlace&) const = default;
};

struct LogPolicy {
  std::vector<std::string> paths;  // globs inside the container, absolute
  bool output = true;       // what the container writes to stdout and stderr is collected too
  std::string destination;  // directory on the node or mounted share; empty = the node's
  std::optional<FilebeatPlace> filebeat;  // ships the files at `paths`
  bool operator==(const LogPolicy&) const = default;
};

}  // namespace hive::model
