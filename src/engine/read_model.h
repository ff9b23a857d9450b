// How the engine's JSON becomes model types, written once for both parsers: nlohmann's tree for
// single objects, simdjson's for lists of thousands. A parser joins in as a View with string(),
// integer(), boolean(), has(), each(), members() and template_digest(), all by dotted path, and
// text() of an item that is a string itself. Absent fields are empty or zero.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/cluster.h"

namespace hive::engine {

// Milliseconds since 1970 of "2026-01-02T03:04:05.678901234Z" (or with an offset); 0 when it is
// none or before 1970 (Go's zero time).
std::int64_t unix_ms_from_rfc3339(std::string_view text);

// Members of a task template that do not tell its tasks apart: a change of placement alone replaces
// no task that still fits where it is, and a task's own Spec has no Runtime (seen on 20.10).
inline bool tells_tasks_apart(std::string_view member) {
  return member != "Placement" && member != "Runtime";
}

// Parts of the digest of a JSON value, the same from every parser and for every order of an
// object's members. Not for secrets: collisions can be made.
inline std::uint64_t digest_bytes(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = 14'695'981'039'346'656'037U ^ seed;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1'099'511'628'211U;
  }
  return hash;
}
inline std::uint64_t digest_join(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a * 0x9e37'79b9'7f4a'7c15U + b;
  x ^= x >> 32U;
  x *= 0xd6e8'feb8'6659'fd93U;
  return x ^ (x >> 32U);
}

template <typename View>
model::Port read_port(const View& port) {
  model::Port out;
  if (std::string protocol = port.string("Protocol"); !protocol.empty())
    out.protocol = std::move(protocol);
  out.target = static_cast<std::uint16_t>(port.integer("TargetPort"));
  out.published = static_cast<std::uint16_t>(port.integer("PublishedPort"));
  out.mode = port.string("PublishMode") == "host" ? model::PublishMode::kHost
                                                  : model::PublishMode::kIngress;
  return out;
}

template <typename View>
model::Labels read_labels(const View& object, std::string_view path) {
  model::Labels labels;
  object.members(path,
                 [&](std::string_view key, std::string_view value) { labels.emplace(key, value); });
  return labels;
}

template <typename View>
model::Node read_node(const View& node) {
  model::Node out;
  out.id = node.string("ID");
  out.version = static_cast<std::uint64_t>(node.integer("Version.Index"));
  out.hostname = node.string("Description.Hostname");
  out.address = node.string("Status.Addr");
  out.role = node.string("Spec.Role") == "manager" ? model::Role::kManager : model::Role::kWorker;
  const std::string availability = node.string("Spec.Availability");
  if (availability == "pause") out.availability = model::Availability::kPause;
  if (availability == "drain") out.availability = model::Availability::kDrain;
  out.state = model::node_state_from(node.string("Status.State"));
  out.state_message = node.string("Status.Message");
  out.leader = node.boolean("ManagerStatus.Leader");
  out.manager_reachability = node.string("ManagerStatus.Reachability");
  out.manager_address = node.string("ManagerStatus.Addr");
  out.engine_version = node.string("Description.Engine.EngineVersion");
  out.nano_cpus = node.integer("Description.Resources.NanoCPUs");
  out.memory_bytes = node.integer("Description.Resources.MemoryBytes");
  out.labels = read_labels(node, "Spec.Labels");
  out.engine_labels = read_labels(node, "Description.Engine.Labels");
  return out;
}

// What restarts, moves and second instances of its tasks depend on.
template <typename View>
void read_placement(const View& service, model::Service& out) {
  constexpr std::int64_t kNanoseconds = 1'000'000;
  if (std::string condition = service.string("Spec.TaskTemplate.RestartPolicy.Condition");
      !condition.empty())
    out.restart_condition = std::move(condition);
  if (service.has("Spec.TaskTemplate.RestartPolicy.Delay"))
    out.restart_delay_ms = service.integer("Spec.TaskTemplate.RestartPolicy.Delay") / kNanoseconds;
  out.own_init = !service.has("Spec.TaskTemplate.ContainerSpec.Init") ||
                 service.boolean("Spec.TaskTemplate.ContainerSpec.Init");
  out.max_per_node =
      static_cast<std::uint64_t>(service.integer("Spec.TaskTemplate.Placement.MaxReplicas"));
  service.each("Spec.TaskTemplate.Placement.Constraints",
               [&](const View& constraint) { out.constraints.push_back(constraint.text()); });
  service.each("Spec.TaskTemplate.Placement.Preferences", [&](const View& preference) {
    out.spread.push_back(preference.string("Spread.SpreadDescriptor"));
  });
  service.each("Spec.TaskTemplate.ContainerSpec.Mounts", [&](const View& mount) {
    if (mount.string("Source").find("{{") != std::string::npos) out.storage_by_slot = true;
  });
}

template <typename View>
void read_resources(const View& service, model::Service& out) {
  constexpr const char* kReserved = "Spec.TaskTemplate.Resources.Reservations.";
  constexpr const char* kLimit = "Spec.TaskTemplate.Resources.Limits.";
  out.reserved_nano_cpus = service.integer(std::string(kReserved) + "NanoCPUs");
  out.reserved_memory_bytes = service.integer(std::string(kReserved) + "MemoryBytes");
  out.limit_nano_cpus = service.integer(std::string(kLimit) + "NanoCPUs");
  out.limit_memory_bytes = service.integer(std::string(kLimit) + "MemoryBytes");
}

template <typename View>
model::Service read_service(const View& service) {
  model::Service out;
  out.id = service.string("ID");
  out.version = static_cast<std::uint64_t>(service.integer("Version.Index"));
  out.name = service.string("Spec.Name");
  out.image = service.string("Spec.TaskTemplate.ContainerSpec.Image");
  out.global = service.has("Spec.Mode.Global");
  if (!out.global)
    out.replicas = static_cast<std::uint64_t>(service.integer("Spec.Mode.Replicated.Replicas", 1));
  service.each("Spec.EndpointSpec.Ports",
               [&](const View& port) { out.ports.push_back(read_port(port)); });
  out.labels = read_labels(service, "Spec.Labels");
  const auto grace_ns = service.integer("Spec.TaskTemplate.ContainerSpec.StopGracePeriod");
  if (grace_ns > 0) out.stop_grace_ms = grace_ns / 1'000'000;
  out.start_first = service.string("Spec.UpdateConfig.Order") == "start-first";
  out.template_digest = service.template_digest("Spec.TaskTemplate");
  read_placement(service, out);
  read_resources(service, out);
  out.rollback_start_first = service.string("Spec.RollbackConfig.Order") == "start-first";
  out.update_state = service.string("UpdateStatus.State");
  out.update_message = service.string("UpdateStatus.Message");
  out.created_unix_ms = unix_ms_from_rfc3339(service.string("CreatedAt"));
  out.updated_unix_ms = unix_ms_from_rfc3339(service.string("UpdatedAt"));
  return out;
}

template <typename View>
model::Task read_task(const View& task) {
  model::Task out;
  out.id = task.string("ID");
  out.version = static_cast<std::uint64_t>(task.integer("Version.Index"));
  out.service_id = task.string("ServiceID");
  out.node_id = task.string("NodeID");
  out.slot = task.integer("Slot");
  out.image = task.string("Spec.ContainerSpec.Image");
  out.template_digest = task.template_digest("Spec");
  out.state = model::task_state_from(task.string("Status.State"));
  out.desired = model::task_state_from(task.string("DesiredState"));
  out.message = task.string("Status.Message");
  out.error = task.string("Status.Err");
  out.container_id = task.string("Status.ContainerStatus.ContainerID");
  out.exit_code = task.integer("Status.ContainerStatus.ExitCode");
  task.each("Status.PortStatus.Ports",
            [&](const View& port) { out.ports.push_back(read_port(port)); });
  out.created_unix_ms = unix_ms_from_rfc3339(task.string("CreatedAt"));
  out.state_since_unix_ms = unix_ms_from_rfc3339(task.string("Status.Timestamp"));
  return out;
}

}  // namespace hive::engine
