// What agents and controllers say to each other, as JSON, and the names of their paths.
//
// The controller that acts (at Swarm's leader; the others refuse) streams routing tables to its
// agents (server-sent events, first `event: welcome`, then `event: routing`, data =
// encode_table()); an agent posts a Report once a second and at once when a container's state
// changes. Both sides ignore fields they do not know, so that versions can differ by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/cluster.h"
#include "model/routing.h"
#include "model/stop_record.h"

namespace hive::agent {

inline constexpr std::uint16_t kControllerPort = 7071;  // mutual TLS, Swarm's node certificates
inline constexpr std::string_view kStreamPath = "/v1/agent/stream";
inline constexpr std::string_view kReportPath = "/v1/agent/report";
inline constexpr std::string_view kWelcomeEvent = "welcome";
inline constexpr std::string_view kRoutingEvent = "routing";
inline constexpr int kKeepAliveSeconds = 5;  // the controller sends ": ping" this often
inline constexpr std::size_t kMaxMessageBytes = 32U << 20;
inline constexpr std::size_t kMaxReportEvents = 1'000;
inline constexpr std::size_t kMaxReportNotes = 100;
inline constexpr std::size_t kMaxReportStops = 1'000;

// A container of a Swarm task on the agent's node.
struct ContainerReport {
  std::string task_id;
  std::string container_id;
  std::string state;   // Docker's word: created, running, exited, ...
  std::string health;  // starting, healthy, unhealthy; empty = the image has no check
  // Of its hive-init: armed, held, claimed, stopping, flushing. Empty = not known yet. Anything
  // else says what runs instead ("tini"): its stops are not held.
  std::string init;
  // Of the node, bound for the container. Swarm forgets those of running tasks when its leader
  // changes (seen on 20.10: PortStatus is empty once a node has registered with the new one).
  std::vector<model::Port> ports;
  bool operator==(const ContainerReport&) const = default;
};

// A container event since the last report.
struct ContainerEvent {
  std::string task_id;
  std::string container_id;
  std::string action;  // start, die, "kill 15", health_status: healthy, ...
  std::int64_t time_ns = 0;
  bool operator==(const ContainerEvent&) const = default;
};

// Something that people should know of, for the history.
struct Note {
  std::string kind;     // "log_destination_fault"
  std::string subject;  // what it is about
  std::string reason;   // one plain sentence
  bool operator==(const Note&) const = default;
};

// What a task's container used lately.
struct TaskUsage {
  std::string task_id;
  std::uint64_t cpu_millicores = 0;  // thousandths of a core, over the last second
  std::uint64_t memory_bytes = 0;    // without what the kernel could drop at once
  std::uint64_t age_ms = 0;          // of the measurement
  bool operator==(const TaskUsage&) const = default;
};

// An image that was ordered (orders.h, PullOrder).
enum class PullState { kPulling, kPulled, kFailed };
struct PullReport {
  std::string image;  // as in the order
  PullState state = PullState::kPulling;
  std::int64_t tries = 0;  // that failed
  std::string why;         // the last one
  bool operator==(const PullReport&) const = default;
};

struct Report {
  std::string node_id;
  // The table the edge serves: its revision and who made it. 0 and empty before the first.
  std::uint64_t revision_applied = 0;
  std::string controller_node_id;
  std::string edge = "ok";  // or what is wrong with it, for people
  // Which init the engine gives to containers: "hive-init", or another's path. Empty = not known.
  std::string engine_init;
  std::vector<model::EndpointStats> stats;
  std::vector<model::BackendStats> backends;  // an older agent does not tell
  std::vector<TaskUsage> usage;
  std::vector<ContainerReport> containers;
  std::vector<ContainerEvent> events;
  // Tasks in the table that this edge does not send requests to yet: they have not answered its
  // own probe.
  std::vector<std::string> not_ready;
  std::vector<Note> notes;  // since the last report
  // Tasks that no edge may send to any more: they are being stopped.
  std::vector<std::string> leaving;
  // Containers on their way out, and those that ended until the controller has recorded them.
  std::vector<model::StopRecord> stops;
  // Its machine shuts down: this long until it is gone, whatever is left. 0 = it stays.
  std::int64_t departs_in_ms = 0;
  // It fetches images that are ordered; an older agent does not, and does not say so.
  bool pulls_images = false;
  std::vector<PullReport> pulls;  // of the orders that it has
  bool operator==(const Report&) const = default;
};

std::string encode_table(const model::RoutingTable& table);
std::string encode_report(const Report& report);

// kCorrupt with the place and the reason: not JSON, a wrong type, a number out of range, a name
// that is empty or has characters no name has, two backends or endpoints of one name, a route to
// a backend or listener that is not there.
Result<model::RoutingTable> decode_table(std::string_view text);
Result<Report> decode_report(std::string_view text);

}  // namespace hive::agent
