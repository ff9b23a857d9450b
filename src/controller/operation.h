// Operations: changes of the cluster that take more than one step and must survive the death of the
// controller that began them (an exact scale-in, a node's drain, a rollout).
//
// An operation's intent is a Swarm config object, hive.op.ID: its data is the request and never
// changes, its labels hold the state. So every manager has it, and whichever is Swarm's leader goes
// on with it. After each look at the cluster the leader calls step() of each operation that has no
// job under way. A step decides only: from what is there now and the state that it left behind, it
// says what is to be done next. The framework (operations.h) then
//   1. writes the new state, fenced by the version that was read (a second controller is refused);
//   2. runs the step's actions on a thread of its own, one after the other, until one fails;
//   3. gives the step's stop orders to the agents;
//   4. steps again with a look that began after all that.
// So a step must expect that its actions were done, failed, or were cut off by a crash, and find
// out by looking. It is never called twice at once, and never from an old look.
//
// To add a kind of operation: derive from OperationKind, keep what decides in a pure function of
// its own under decide/ (tested there, without engines), turn its answer into actions here, and add
// an instance to the list in operation_kinds.cc. The command line reaches it by
// cli/operation_client.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/protocol.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "cloud/cloud.h"
#include "controller/routing.h"
#include "engine/engine.h"
#include "model/cluster.h"
#include "model/stop_request.h"

namespace hive::controller {

// What the cloud said last, when there is a cloud.
struct CloudLook {
  std::vector<cloud::Instance> instances;
  cloud::BalancerStatus balancer;
  bool has_balancer = false;
  std::optional<cloud::WorkerGroup> group;  // where the cloud names its machines itself
  MonotonicTime taken_at{};
};

// Everything a step sees. Made anew for each look; shared by the steps of one tick.
struct World {
  model::Snapshot snapshot;
  ClusterSettings settings;
  std::map<std::string, agent::Report> reports;      // of agents that reported lately, by node id
  std::map<std::string, MonotonicTime> reported_at;  // of all agents that ever did, here
  std::optional<CloudLook> cloud;                    // fresh ones only
  std::set<std::string> stopped;  // tasks that were told to stop: their ends are no failures
  // For deadlines kept in a state: other managers must be able to read them.
  std::int64_t now_unix_ms = 0;
};

enum class OperationOutcome { kRunning, kSucceeded, kFailed, kCancelled };
std::string_view to_string(OperationOutcome outcome);
// Unknown words are kRunning.
OperationOutcome outcome_from(std::string_view word);

struct OperationRecord {
  std::string id;
  std::string kind;
  std::string by;       // who asked: "root on shop-manager-1", "hive"
  std::string subject;  // what it is about, for people: "hive-server", "node shop-worker-2"
  Json request;         // as check() returned it
  std::int64_t created_unix_ms = 0;

  Json state;              // the kind's own; null before its first step
  bool cancelled = false;  // somebody asked to end it; the kind decides how
  OperationOutcome outcome = OperationOutcome::kRunning;
  std::string result;  // the outcome's reason, one sentence
  std::int64_t finished_unix_ms = 0;

  std::string config_id;
  std::uint64_t version = 0;  // of the config: the fence
};

// It has not ended yet.
inline bool active(const OperationRecord& record) {
  return record.outcome == OperationOutcome::kRunning;
}

// How long something took, for people: "1m30.2s", cut to tenths of a second.
std::string took(std::int64_t ms);

struct OperationProgress {
  std::uint64_t done = 0;
  std::uint64_t of = 0;
  std::string doing;  // "waits until 2 new tasks are healthy"
  bool operator==(const OperationProgress&) const = default;
};

// What actions may reach. Blocking calls with deadlines.
struct Outside {
  engine::Engine& engine;
  // A connection of the caller's own; kUnsupported when this cluster has no cloud.
  std::function<Result<std::unique_ptr<cloud::Cloud>>()> cloud;
  // A sentence for the operation's history, of what only the action learns. Empty outside of one.
  std::function<void(const std::string&)> tell = {};
};

struct OperationAction {
  std::string what;    // "scale hive-server from 4 to 3"; recorded in the history with `reason`
  std::string reason;  // "the load fell: ..."; one sentence
  std::function<Status(Outside&)> run;
};

struct OperationStep {
  Json state;
  OperationProgress progress;
  std::vector<OperationAction> actions;
  // Containers to be stopped, as long as each step says so.
  std::vector<model::StopRequest> stops;
  // Tasks that must not leave before another is ready for them; as long as each step says so.
  std::vector<std::string> await_replacement;
  // Images that shall be on nodes before their tasks come, by node; as long as each step says so.
  std::map<std::string, std::vector<std::string>> pulls;
  // Sentences for the history, told once when the state has been written.
  std::vector<std::string> notes;
  // Look again this soon, when a moment must not be missed.
  std::optional<Milliseconds> look_again;
  OperationOutcome outcome = OperationOutcome::kRunning;
  std::string result;
};

struct OperationFailure {
  Error error;
  std::string what;  // the action that failed
  int times = 0;     // in a row
};

struct OperationInput {
  const World& world;
  // The last job's failure; empty once a job succeeded. The framework waits before it steps again,
  // longer each time, and ends the operation after kMaxFailures in a row or at once when trying
  // again cannot help and the kind does not go another way.
  std::optional<OperationFailure> failure;
  // The id of another operation that holds the claim now; empty when it is free or one's own.
  std::function<std::string(const std::string& claim)> holder;
  // Whether an operation of that kind is under way; may be empty: then none is known of.
  std::function<bool(std::string_view kind)> under_way = {};
};

struct OperationRequest {
  std::string id;  // the same id is the same operation; empty = chosen
  std::string kind;
  std::string by;
  Json request;
};

class OperationKind {
 public:
  virtual ~OperationKind() = default;
  virtual std::string_view name() const = 0;  // "scale_in"
  // The request with names turned into ids and defaults filled in, or why it is refused:
  // kInvalidArgument, kNotFound, kFailedPrecondition, with what to do instead.
  virtual Result<Json> check(const Json& request, const World& world) const = 0;
  virtual std::string subject(const Json& request, const World& world) const = 0;
  // What nobody else may touch meanwhile, from the state alone: "service:ID", "node:ID". A request
  // whose first claims (state null) are held is refused (kConflict); later ones wait by
  // OperationInput::holder.
  virtual std::vector<std::string> claims(const OperationRecord& record) const = 0;
  virtual OperationStep step(const OperationRecord& record, const OperationInput& input) const = 0;
  // Operations that the controller begins by itself, asked after each look; ids must be such that
  // the same cause gives the same id.
  virtual std::vector<OperationRequest> propose(
      const World& /*world*/, const std::vector<OperationRecord>& /*known*/) const {
    return {};
  }
};

std::string service_claim(const std::string& service_id);
std::string node_claim(const std::string& node_id);

// Every kind there is.
std::vector<std::unique_ptr<OperationKind>> operation_kinds();

}  // namespace hive::controller
