// How the engine's JSON becomes model types, written once for both parsers: nlohmann's tree for
// single objects, simdjson's for lists of thousands. A parser joins in as a View with string(),
// integer(), boolean(), has(), each() and members(), all by dotted path. Absent fields are empty
// or zero.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/cluster.h"

namespace hive::engine {

// Milliseconds since 1970 of "2026-01-02T03:04:05.678901234Z" (or with an offset); 0 when it is
// none or before 1970 (Go's zero time).
std::int64_t unix_ms_from_rfc3339(std::string_view text);

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
