#include "cli/join_step.h"

namespace hive::cli {
namespace {

constexpr Milliseconds kCutOff{10'000};  // a first join that does not get on
constexpr Milliseconds kComesBack{
    60'000};  // a restarted manager, until the others elected a leader

}  // namespace

JoinStep next_join_step(std::string_view state, bool known, Milliseconds waited) {
  if (state == "inactive") return JoinStep::kJoin;
  if (state == "locked") return JoinStep::kLocked;
  if (state == "active") return known ? JoinStep::kThere : JoinStep::kLeaveAndJoin;
  if (state != "pending") return JoinStep::kLeaveAndJoin;
  if (known) return waited < kComesBack ? JoinStep::kWait : JoinStep::kStuck;
  return waited < kCutOff ? JoinStep::kWait : JoinStep::kLeaveAndJoin;
}

}  // namespace hive::cli
