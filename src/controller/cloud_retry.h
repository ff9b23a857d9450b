// How an operation meets a cloud that did not give an instance: what may pass (no capacity,
// throttled, unavailable) is asked for again after longer and longer pauses, or as long as the
// cloud says; what cannot pass ends the operation. Pure.
#pragma once

#include "controller/operation.h"

namespace hive::controller {

// From the operation's begin, or from the state's "asking_unix_ms" where that is later. Twice as
// long where the call's effect is not known: asked again, the cloud tells.
inline constexpr std::int64_t kCapacityMs = 600'000;

// After a call that failed. True: it is asked again at the state's "retry_unix_ms"; "why" and
// "pauses" are noted there too. False: the step ends the operation as failed.
bool ask_cloud_again(const OperationRecord& record, const Error& error, std::int64_t now_unix_ms,
                     OperationStep& out);

}  // namespace hive::controller
