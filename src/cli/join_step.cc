#include "cli/join_step.h"

namespace hive::cli {
namespace {

constexpr Milliseconds kCutOff{10'000};  // a first join that does not get on
// A restarted engine, until the managers elected a leader and it reached them.
constexpr Milliseconds kComesBack{60'000};

}  // namespace

JoinStep next_join_step(std::string_view state, bool known, bool manager, Milliseconds waited) {
  if (state == "inactive") return JoinStep::kJoin;
  if (state == "locked") return JoinStep::kLocked;
  if (state == "active") return known ? JoinStep::kThere : JoinStep::kLeaveAndJoin;
  if (state != "pending") return JoinStep::kLeaveAndJoin;
  if (waited < (known ? kComesBack : kCutOff)) return JoinStep::kWait;
  return known && manager ? JoinStep::kStuck : JoinStep::kLeaveAndJoin;
}

}  // namespace hive::cli
