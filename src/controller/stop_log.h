// What agents have told of the stops of tasks: who ended a task and why, also after it is gone.
// Swarm calls a container that hive stopped "failed" (its application ends by the stop signal,
// exit code 143); here it is known that it was told to. In memory, bounded. Not thread-safe: the
// controller guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "model/stop_record.h"
#include "store/history.h"

namespace hive::controller {

// A task at all edges together, as they said last.
struct TaskLoad {
  std::uint64_t begun = 0;  // requests, since the edge started
  std::uint64_t in_flight = 0;
};

class StopLog {
 public:
  void heard(const model::StopRecord& record, const TaskLoad& load);
  // The stop's line is in the history: Swarm's word of the same end is not told beside it.
  void recorded(const std::string& task_id);
  // Requests that ended well or badly at the task since its stop began, as edges count them once a
  // second.
  std::uint64_t requests_finished(const std::string& task_id) const;

  // Swarm's word that a task ended; it waits for the record that says more. `agent_there`: the
  // task's node has an agent, which may tell of the stop a moment later.
  void ended(const std::string& task_id, store::HistoryEvent event, bool agent_there,
             MonotonicTime now);
  // What of that must be told now, since no record came.
  std::vector<store::HistoryEvent> due(MonotonicTime now);

  // Tasks that were told to stop: their ends are no failures, unless Swarm did it since their
  // health check failed.
  std::set<std::string> tasks() const;
  Json as_json() const;

 private:
  struct Entry {
    model::StopRecord record;
    TaskLoad first;
    TaskLoad last;
    bool recorded = false;
  };
  struct Waiting {
    store::HistoryEvent event;
    MonotonicTime since{};
    Milliseconds patience{0};
  };
  std::map<std::string, Entry> stops_;  // by task
  std::deque<std::string> order_;       // the oldest first
  std::map<std::string, Waiting> waiting_;
};

}  // namespace hive::controller
