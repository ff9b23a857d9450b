// The command line's own record of a cluster: cluster.json in the state directory, written before
// anything is made (the intent), so that `down`, `status` and a second `up` know what it is about.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hive::cli {

struct Record {
  std::string name;
  std::string cloud = "local";
  std::vector<std::string> files;  // absolute paths of the Compose files
  std::string directory;           // of the first file
  std::string spec_hash;           // of the resolved file that is deployed; empty until it is
  std::uint16_t dashboard_port = 0;
  std::vector<std::uint16_t> listeners;
  bool complete = false;  // an `up` of this record came to its end
  bool operator==(const Record&) const = default;
};

std::string record_path(const std::string& cluster);
// kNotFound; kCorrupt with what to do.
Result<Record> read_record(const std::string& cluster);
Status write_record(const Record& record);

}  // namespace hive::cli
