#include "controller/cloud_retry.h"

#include <algorithm>

#include "controller/kind_base.h"

namespace hive::controller {
namespace {

constexpr std::int64_t kFirstPauseMs = 5'000;
constexpr std::int64_t kLongestPauseMs = 60'000;
constexpr std::int64_t kMostDoublings = 5;

}  // namespace

bool ask_cloud_again(const OperationRecord& record, const Error& error, std::int64_t now_unix_ms,
                     OperationStep& out) {
  out.state["why"] = error.message;
  const bool may_pass = retryable(error.code) || error.code == Errc::kResourceExhausted;
  const auto since = std::max(record.created_unix_ms, json_int(out.state, "asking_unix_ms"));
  const bool unknown = error.code == Errc::kDeadlineExceeded;
  if (!may_pass || now_unix_ms - since > (unknown ? 2 : 1) * kCapacityMs) {
    out = end_step(std::move(out), OperationOutcome::kFailed,
                   "the cloud gave no instance: " + error.message);
    return false;
  }
  const auto pauses = json_int(out.state, "pauses");
  auto pause = std::min(kLongestPauseMs, kFirstPauseMs << std::min(pauses, kMostDoublings));
  if (error.retry_after) pause = std::max<std::int64_t>(pause, error.retry_after->count());
  out.state["pauses"] = pauses + 1;
  out.state["retry_unix_ms"] = now_unix_ms + pause;
  if (pauses == 0)
    out.notes.push_back("the cloud has no instance now: " + error.message + "; it is asked again");
  return true;
}

}  // namespace hive::controller
