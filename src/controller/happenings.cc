#include "controller/happenings.h"

#include "controller/routing.h"

namespace hive::controller {
namespace {

using model::Snapshot;
using model::TaskState;

constexpr std::int64_t kEndedByTerm = 128 + 15;

std::string place(const Snapshot& snapshot, const std::string& node_id) {
  const auto node = snapshot.nodes.find(node_id);
  return node == snapshot.nodes.end() ? "an unknown node" : node->second.hostname;
}

class Differ {
 public:
  Differ(const Snapshot& before, const Snapshot& now) : before_(before), now_(now) {}
  std::vector<Happening> run() {
    nodes();
    services();
    tasks();
    return std::move(out_);
  }

 private:
  void add(std::string kind, std::string subject, std::string reason) {
    out_.push_back({{0, 0, std::move(kind), std::move(subject), std::move(reason)}, ""});
  }

  void nodes() {
    for (const auto& [id, node] : now_.nodes) {
      if (node.hostname.empty()) continue;  // it has not described itself yet
      const auto old = before_.nodes.find(id);
      if (old == before_.nodes.end() || old->second.hostname.empty()) {
        add("node_joined", node.hostname, "a new node joined the swarm at " + node.address);
        continue;
      }
      const auto& was = old->second;
      const std::string why = node.state_message.empty() ? "" : ": " + node.state_message;
      // Unknown is what a new leader calls every node until it has heard from it.
      if (was.state != node.state && node.state != model::NodeState::kUnknown)
        add(node.state == model::NodeState::kReady ? "node_up" : "node_down", node.hostname,
            "Swarm shows it " + std::string(to_string(node.state)) + why);
      if (was.availability != node.availability)
        add("node_availability", node.hostname,
            "its availability was set to " + std::string(to_string(node.availability)));
      if (!was.leader && node.leader)
        add("leader_change", node.hostname, "the managers elected it as Swarm's leader");
    }
    for (const auto& [id, node] : before_.nodes)
      if (!now_.nodes.contains(id))
        add("node_removed", node.hostname, "it was removed from the swarm");
  }

  void services() {
    for (const auto& [id, service] : now_.services) {
      const auto old = before_.services.find(id);
      if (old == before_.services.end()) {
        add("service_created", service.name, "it was created with image " + service.image);
        continue;
      }
      const auto& was = old->second;
      if (was.image != service.image)
        add("service_updated", service.name,
            "its image was changed from " + was.image + " to " + service.image);
      if (was.replicas != service.replicas)
        add("service_scaled", service.name,
            "its replicas were set from " + std::to_string(was.replicas) + " to " +
                std::to_string(service.replicas));
      if (was.update_state != service.update_state && !service.update_state.empty())
        add("service_update_" + service.update_state, service.name, service.update_message);
    }
    for (const auto& [id, service] : before_.services)
      if (!now_.services.contains(id)) add("service_removed", service.name, "it was removed");
  }

  void tasks() {
    for (const auto& [id, task] : now_.tasks) {
      const auto old = before_.tasks.find(id);
      const TaskState was = old == before_.tasks.end() ? TaskState::kNew : old->second.state;
      if (was == task.state) continue;
      if (task.state == TaskState::kRunning)
        add("task_running", task_name(now_, task),
            "it started on " + place(now_, task.node_id) + " and is healthy");
      else if (task.state == TaskState::kFailed || task.state == TaskState::kRejected)
        failed(task);
      else if (task.state == TaskState::kShutdown && was == TaskState::kRunning)
        end("task_ended", task, "Swarm stopped it on " + place(now_, task.node_id));
    }
  }

  void end(std::string kind, const model::Task& task, std::string reason) {
    add(std::move(kind), task_name(now_, task), std::move(reason));
    out_.back().ended_task = task.id;
  }

  // Swarm calls failed what somebody told to stop, unless it was Swarm itself.
  void failed(const model::Task& task) {
    const std::string where = place(now_, task.node_id);
    if (task.exit_code == kEndedByTerm && !found_unhealthy(task))
      end("task_ended", task, "it was told to stop on " + where + " and ended");
    else
      end("task_failed", task,
          "on " + where + ": " +
              (task.error.empty() ? "exit code " + std::to_string(task.exit_code) : task.error));
  }

  const Snapshot& before_;
  const Snapshot& now_;
  std::vector<Happening> out_;
};

}  // namespace

std::vector<Happening> happenings(const Snapshot& before, const Snapshot& now) {
  if (before.nodes.empty()) return {};
  return Differ(before, now).run();
}

}  // namespace hive::controller
