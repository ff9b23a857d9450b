// Operations as Swarm config objects: what is written and how it is read back. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "controller/operation.h"

namespace hive::controller {

inline constexpr const char* kOperationPrefix = "hive.op.";
inline constexpr const char* kOperationLabel = "hive.operation";     // the kind
inline constexpr const char* kOperationStateLabel = "hive.state";    // JSON
inline constexpr const char* kOperationCancelLabel = "hive.cancel";  // "true"
inline constexpr std::size_t kMaxOperationBytes = 64U << 10;  // of the request, and of the state

// Letters, digits, '-', '.', '_'; at most 48 of them (Swarm's bound of 64 less our prefix).
Status check_operation_id(const std::string& id);

// The config's spec. kResourceExhausted when the request or the state is too large.
Result<Json> config_spec_of(const OperationRecord& record);
// From the engine's config object. kCorrupt names the config.
Result<OperationRecord> operation_from_config(const Json& config);

// As the API tells it (docs/api.md).
Json operation_json(const OperationRecord& record, const OperationProgress& progress,
                    const std::string& trouble, std::int64_t now_unix_ms);

}  // namespace hive::controller
