// What a rollout writes: the specs of the service on the way forward and back, and of its canary.
// Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "config/compose.h"
#include "decide/rollout/supervisor.h"
#include "model/cluster.h"

namespace hive::controller {

// Label of the service: who wrote its spec last, "OPERATION.f1": forward, first write. A service
// without it, or with another one's, was changed by somebody else.
inline constexpr const char* kRolloutLabel = "hive.rollout";

enum class Way { kForward, kBack, kDone };
std::string rollout_mark(const std::string& operation, Way way, std::int64_t write);

// The request of an operation of kind "rollout", as it is written down (docs/api.md).
struct RolloutRequest {
  std::string service_id;
  std::string service_name;
  Json spec;                   // wanted
  std::string base;            // digest of what it was made from, in hex; empty = anything
  bool replicas = false;       // the number of tasks is part of the change
  bool resolve = false;        // the tag is to be resolved to a digest
  std::string why;             // "update --image shop:2"
  std::string auth_key;        // of credentials that are kept in memory alone
  std::int64_t canary_ms = 0;  // 0 = no canary
  std::uint32_t canary_weight = 10;
  std::uint64_t canary_replicas = 1;
  std::int64_t start_timeout_ms = 300'000;
  double max_error_rate = 0.01;
  double max_latency_factor = 4;
};
RolloutRequest rollout_request(const Json& json);
Json rollout_json(const RolloutRequest& request);
// What the service's x-hive.rollout says, where the request says nothing.
void apply_defaults(const config::Rollout& rollout, const Json& asked, RolloutRequest& request);

decide::rollout::Policy rollout_policy(const RolloutRequest& request);

// Digest of what makes a version, in hex: without the number of tasks and how updates go.
std::string base_digest(const Json& spec);

bool stop_first(const Json& spec);  // asked for by the spec itself
bool global(const Json& spec);

// The spec to write: Swarm pauses at a failure so that hive decides, and starts new tasks first
// unless the spec says stop-first or publishes a fixed port of the node.
Json forward_spec(const RolloutRequest& request, const Json& spec_now, const std::string& mark);
// The way back to `good`: tasks of the version that was. The number of tasks is today's, unless
// this rollout changed it.
Json back_spec(const RolloutRequest& request, const Json& good, const Json& spec_now,
               const std::string& mark);
// Afterwards: how updates go is again as `wanted` says.
Json settled_spec(const Json& wanted, const Json& spec_now, const std::string& mark);
// True when settled_spec changes more than the mark.
bool needs_settling(const Json& wanted, const Json& written);

std::string canary_name(const std::string& service_name);
// A service of its own beside the real one, whose tasks get a share of its requests. It is in no
// stack, is not autoscaled, and takes no port of the mesh.
Json canary_spec(const RolloutRequest& request, const std::string& operation);

}  // namespace hive::controller
