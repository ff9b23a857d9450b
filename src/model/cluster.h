// The cluster as value types: what a tick of the controller sees and what tables print.
// Filled by adapters, read by rules; nothing here knows how it was obtained.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace hive::model {

using Labels = std::map<std::string, std::string>;

enum class Role { kWorker, kManager };
enum class Availability { kActive, kPause, kDrain };
enum class NodeState { kUnknown, kDown, kReady, kDisconnected };

// Swarm's node object (Engine API: GET /nodes).
// A node's label with the availability zone that its machine is in, on AWS.
inline constexpr const char* kZoneLabel = "hive.zone";

struct Node {
  std::string id;
  std::uint64_t version = 0;  // Version.Index: the fence of every NodeUpdate
  std::string hostname;
  std::string address;  // Status.Addr
  Role role = Role::kWorker;
  Availability availability = Availability::kActive;
  NodeState state = NodeState::kUnknown;
  std::string state_message;
  bool leader = false;
  std::string manager_reachability;  // "reachable", "unreachable"; empty for a worker
  std::string manager_address;       // host:2377; empty for a worker
  std::string engine_version;
  std::int64_t nano_cpus = 0;
  std::int64_t memory_bytes = 0;
  Labels labels;         // Spec.Labels
  Labels engine_labels;  // Description.Engine.Labels
  bool operator==(const Node&) const = default;
};

enum class PublishMode { kIngress, kHost };
struct Port {
  std::string protocol = "tcp";
  std::uint16_t target = 0;     // the port inside the container
  std::uint16_t published = 0;  // on the node; 0 = chosen by the engine
  PublishMode mode = PublishMode::kIngress;
  bool operator==(const Port&) const = default;
};

// Swarm's service object (GET /services), as far as decisions and tables need it. What is written
// back is always the engine's own JSON, merged (engine/engine.h), never built from this.
struct Service {
  std::string id;
  std::uint64_t version = 0;
  std::string name;
  std::string image;  // as in the spec, with its digest when resolved
  bool global = false;
  std::uint64_t replicas = 0;           // desired; meaningless when global
  std::vector<Port> ports;              // Spec.EndpointSpec.Ports
  Labels labels;                        // Spec.Labels
  std::int64_t stop_grace_ms = 10'000;  // Docker kills this long after the stop signal
  bool start_first = false;             // UpdateConfig.Order
  bool rollback_start_first = false;    // RollbackConfig.Order; Swarm's default is stop-first
  // Of TaskTemplate without Placement: tasks made from it have the same.
  std::uint64_t template_digest = 0;
  // TaskTemplate.RestartPolicy: what Swarm does when a task ends, and how long it waits before.
  std::string restart_condition = "any";
  std::int64_t restart_delay_ms = 5'000;
  bool own_init = true;            // ContainerSpec.Init was not set to false: stops may be held
  std::uint64_t max_per_node = 0;  // Placement.MaxReplicas; 0 = no bound
  bool storage_by_slot = false;    // a mount's source is named by the task's slot or id
  std::vector<std::string> constraints;  // Placement.Constraints, "node.role==worker"
  std::vector<std::string> spread;       // Placement.Preferences, "node.labels.zone"; in order
  // TaskTemplate.Resources, of each task; 0 = not given.
  std::int64_t reserved_nano_cpus = 0;
  std::int64_t reserved_memory_bytes = 0;
  std::int64_t limit_nano_cpus = 0;
  std::int64_t limit_memory_bytes = 0;
  std::string update_state;  // UpdateStatus.State; empty when never updated
  std::string update_message;
  std::int64_t created_unix_ms = 0;
  std::int64_t updated_unix_ms = 0;
  bool operator==(const Service&) const = default;
};

// Swarm's task states in their order (swarmkit api/types.proto).
enum class TaskState {
  kNew,
  kAllocated,
  kPending,
  kAssigned,
  kAccepted,
  kPreparing,
  kReady,
  kStarting,
  kRunning,
  kComplete,
  kShutdown,
  kFailed,
  kRejected,
  kRemove,
  kOrphaned
};

struct Task {
  std::string id;
  std::uint64_t version = 0;
  std::string service_id;
  std::string node_id;    // empty while unassigned
  std::int64_t slot = 0;  // 0 for a global service
  std::string image;
  std::uint64_t template_digest = 0;  // Service::template_digest when it was made
  TaskState state = TaskState::kNew;
  TaskState desired = TaskState::kNew;
  std::string message;
  std::string error;
  std::string container_id;
  std::int64_t exit_code = 0;
  std::vector<Port> ports;  // Status.PortStatus: host-mode ports really bound
  std::int64_t created_unix_ms = 0;
  std::int64_t state_since_unix_ms = 0;
  bool operator==(const Task&) const = default;
};

// One consistent look at the cluster. Everything a decision needs; a decision sees nothing else.
struct Snapshot {
  std::string cluster_id;
  std::map<std::string, Node> nodes;        // by id
  std::map<std::string, Service> services;  // by id
  std::map<std::string, Task> tasks;        // by id
  std::string self_node_id;
  bool self_is_leader = false;
  MonotonicTime taken_at{};
};

// Swarm ended it since its engine's health check failed: a failure, although its container was told
// to stop.
bool found_unhealthy(const Task& task);

std::string_view to_string(Role role);
std::string_view to_string(Availability availability);
std::string_view to_string(NodeState state);
std::string_view to_string(TaskState state);
std::string_view to_string(PublishMode mode);
// Unknown words map to the first enumerator's "unknown" neighbour: kUnknown, kNew.
NodeState node_state_from(std::string_view word);
TaskState task_state_from(std::string_view word);

}  // namespace hive::model
