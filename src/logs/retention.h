// Keeps a destination within its bounds: which of the stored files go. A pure rule.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "logs/output.h"

namespace hive::logs {

struct RetentionBounds {
  std::uint64_t bytes = 0;          // of this node's files together; 0 = no bound
  std::chrono::hours age{24 * 30};  // after a file's last line; 0 = no bound
};

// Names of files to remove, the longest unwritten first. Only this node's own ("SERVICE/NODE.…"),
// and none that is being written.
std::vector<std::string> expired(std::vector<StoredFile> files, const std::string& node,
                                 const std::set<std::string>& in_use, std::int64_t now_unix_s,
                                 const RetentionBounds& bounds);

}  // namespace hive::logs
