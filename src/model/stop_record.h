// The record of one container's way through the stop sequence: what an agent reports while it runs
// and what the history keeps of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hive::model {

// In their order; each is entered at most once.
enum class StopStep {
  kClaimed,   // the stop signal is held, the application serves on
  kWaiting,   // for a replacement to be ready
  kDraining,  // out of every edge, then until nothing is in flight
  kHooks,     // the service's pre_stop command runs
  kStopping,  // the application was told to stop
  kFlushing,  // it has ended; until its last log line is safe
  kDone
};
inline constexpr std::size_t kStopSteps = 7;
std::string_view to_string(StopStep step);
// kDone for an unknown word: a step of a newer agent is not waited for.
StopStep stop_step_from(std::string_view word);

struct StopRecord {
  std::string task_id;
  std::string service_id;
  std::string container_id;
  std::string order_id;  // of the controller's order; empty = Swarm or a person stopped it
  std::string by;        // who asked, for people
  std::string reason;    // why, for people
  StopStep step = StopStep::kClaimed;
  std::int64_t started_unix_ms = 0;
  std::int64_t ended_unix_ms = 0;                  // 0 until done
  std::array<std::int64_t, kStopSteps> took_ms{};  // by step; of those that are over
  std::uint32_t connections_at_start = 0;          // in flight when the sequence began
  std::uint64_t bytes_delivered = 0;               // log bytes proven safe
  std::uint64_t bytes_missing = 0;                 // log bytes that were not, when it was let go
  std::vector<std::string> given_up;               // at a deadline; plain sentences
  int exit_code = -1;                              // of the application; -1 = not known
  bool operator==(const StopRecord&) const = default;
};

}  // namespace hive::model
