#include "controller/stop_log.h"

#include <algorithm>

namespace hive::controller {
namespace {

constexpr std::size_t kMaxStops = 2'000;
constexpr Milliseconds kFirstWord{3'000};  // until an agent tells of a stop at all
constexpr Milliseconds kLastWord{30'000};  // until it tells how the stop ended

}  // namespace

void StopLog::heard(const model::StopRecord& record, const TaskLoad& load) {
  const auto [found, fresh] = stops_.try_emplace(record.task_id);
  Entry& entry = found->second;
  if (fresh) {
    entry.first = entry.last = load;
    order_.push_back(record.task_id);
  }
  entry.record = record;
  // An edge that has let go of the task does not count for it any more.
  if (load.begun >= entry.last.begun) entry.last = load;
  if (const auto waits = waiting_.find(record.task_id); waits != waiting_.end())
    waits->second.patience = kLastWord;
  while (order_.size() > kMaxStops) {
    stops_.erase(order_.front());
    order_.pop_front();
  }
}

void StopLog::recorded(const std::string& task_id) {
  waiting_.erase(task_id);
  if (const auto found = stops_.find(task_id); found != stops_.end()) found->second.recorded = true;
}

std::uint64_t StopLog::requests_finished(const std::string& task_id) const {
  const auto found = stops_.find(task_id);
  if (found == stops_.end()) return 0;
  const auto& [first, last] = std::pair(found->second.first, found->second.last);
  const std::uint64_t begun = first.in_flight + (last.begun - first.begun);
  return begun - std::min(begun, last.in_flight);
}

void StopLog::ended(const std::string& task_id, store::HistoryEvent event, bool agent_there,
                    MonotonicTime now) {
  const auto found = stops_.find(task_id);
  const bool known = found != stops_.end();
  if (known && found->second.recorded) return;
  const Milliseconds patience = known ? kLastWord : agent_there ? kFirstWord : Milliseconds(0);
  waiting_[task_id] = {std::move(event), now, patience};
}

std::vector<store::HistoryEvent> StopLog::due(MonotonicTime now) {
  std::vector<store::HistoryEvent> out;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (at->second.since + at->second.patience > now) {
      ++at;
      continue;
    }
    out.push_back(std::move(at->second.event));
    at = waiting_.erase(at);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.unix_ms < b.unix_ms; });
  return out;
}

std::set<std::string> StopLog::tasks() const {
  std::set<std::string> out;
  for (const auto& [task, entry] : stops_) out.insert(out.end(), task);
  return out;
}

Json StopLog::as_json() const {
  Json out = Json::array();
  for (const auto& task : order_) {
    const auto& record = stops_.at(task).record;
    Json took = Json::object();
    for (std::size_t i = 0; i + 1 < model::kStopSteps; ++i)
      took[std::string(model::to_string(static_cast<model::StopStep>(i)))] = record.took_ms[i];
    out.push_back({{"task_id", record.task_id},
                   {"service_id", record.service_id},
                   {"by", record.by},
                   {"reason", record.reason},
                   {"step", model::to_string(record.step)},
                   {"started_unix_ms", record.started_unix_ms},
                   {"ended_unix_ms", record.ended_unix_ms},
                   {"took_ms", std::move(took)},
                   {"connections_at_start", record.connections_at_start},
                   {"requests_finished", requests_finished(task)},
                   {"bytes_delivered", record.bytes_delivered},
                   {"bytes_missing", record.bytes_missing},
                   {"given_up", record.given_up}});
  }
  return out;
}

}  // namespace hive::controller
