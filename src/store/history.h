// What happened in the cluster, for people: a bounded table in SQLite. Losing it loses no safety.
//
// A corrupt file is moved aside; when nothing can be written (disk full, read-only) the history
// goes on in memory, with one warning. Safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace hive::store {

struct HistoryEvent {
  std::int64_t id = 0;  // rises; given by append()
  std::int64_t unix_ms = 0;
  std::string kind;     // "task_failed", "node_down", ...
  std::string subject;  // what it happened to, for people: "hive-server.3"
  std::string reason;   // one sentence in plain words
};

class History {
 public:
  // An empty path keeps it in memory from the start. At most `limit` events are kept.
  explicit History(const std::string& path, std::size_t limit = 10'000);
  ~History();
  // The event with its id.
  HistoryEvent append(HistoryEvent event);
  // Events with an id above `since`, the newest `limit` of them, oldest first.
  std::vector<HistoryEvent> list(std::int64_t since, std::size_t limit) const;
  // True while events reach the file.
  bool durable() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hive::store
