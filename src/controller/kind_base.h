// What kinds of operations share: how a step ends, and requests' common fields.
#pragma once

#include <string>
#include <string_view>

#include "controller/operation.h"

namespace hive::controller {

inline OperationStep end_step(OperationStep step, OperationOutcome outcome, std::string result) {
  step.outcome = outcome;
  step.result = std::move(result);
  return step;
}

// The state of one of its parts; null before the part's first step.
inline Json part_of(const Json& state, std::string_view key) {
  const Json* part = json_member(state, key);
  return part == nullptr ? Json() : *part;
}

// How soon a step looks again at what it waits for: tasks of Swarm's; nodes and their machines.
inline constexpr Milliseconds kTasksLookAgain{300};
inline constexpr Milliseconds kNodesLookAgain{500};

// What a cloud says of its machines may be older than what it was told: so long it is believed to
// have understood, and is told nothing again.
inline constexpr std::int64_t kCloudTellsMs = 30'000;

inline constexpr std::int64_t kDrainTimeoutMs = 600'000;

// "timeout_ms" of a request; kInvalidArgument when it is none. 0 = at once.
inline Result<std::int64_t> timeout_of(const Json& request) {
  const auto timeout = json_int(request, "timeout_ms", kDrainTimeoutMs);
  if (timeout < 0 || timeout > std::int64_t{7} * 24 * 3'600'000)
    return fail(Errc::kInvalidArgument, "'timeout_ms' must be from 0 to a week");
  return timeout;
}

inline std::int64_t deadline_of(const OperationRecord& record) {
  return record.created_unix_ms + json_int(record.request, "timeout_ms", kDrainTimeoutMs);
}

// Held by whoever makes managers fewer: one at a time.
inline constexpr const char* kManagersClaim = "managers";

// Under way, and holding it: each such operation says "manager" in its request.
inline bool holds_managers(const OperationRecord& record) {
  return record.outcome == OperationOutcome::kRunning && json_bool(record.request, "manager");
}

}  // namespace hive::controller
