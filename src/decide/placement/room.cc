#include "decide/placement/room.h"

#include <algorithm>

#include "decide/placement/constraints.h"

namespace hive::decide::placement {
namespace {

using model::Availability;
using model::NodeState;
using model::Service;
using model::Task;
using model::TaskState;

bool fixed_host_port(const Service& service) {
  return std::any_of(service.ports.begin(), service.ports.end(), [](const model::Port& port) {
    return port.mode == model::PublishMode::kHost && port.published != 0;
  });
}

int most_a_node(const Service& service) {
  if (fixed_host_port(service)) return 1;
  constexpr std::uint64_t kUnbounded = 1'000'000;
  return static_cast<int>(service.max_per_node == 0 ? kUnbounded
                                                    : std::min(service.max_per_node, kUnbounded));
}

// Its reservation is the node's until it is dead, whatever Swarm wants of it.
bool occupies(const Task& task) {
  return !task.node_id.empty() && task.state >= TaskState::kAssigned &&
         task.state <= TaskState::kRunning;
}

bool stays(const Task& task) { return occupies(task) && task.desired <= TaskState::kRunning; }

bool enough(std::int64_t there, std::int64_t used, std::int64_t more) {
  return more == 0 || there == 0 || used + more <= there;
}

}  // namespace

Room::Room(const model::Snapshot& snapshot, const std::set<std::string>& without) {
  for (const auto& [id, node] : snapshot.nodes) {
    if (without.contains(id)) continue;
    at_.emplace(id, spaces_.size());
    spaces_.push_back({.node = node});
  }
  for (const auto& [id, task] : snapshot.tasks) {
    const auto found = at_.find(task.node_id);
    if (found == at_.end() || !occupies(task)) continue;
    Space& space = spaces_[found->second];
    if (stays(task)) {
      ++space.tasks[task.service_id];
      if (task.slot > 0) slots_[task.service_id].insert(task.slot);
    }
    const auto service = snapshot.services.find(task.service_id);
    if (service == snapshot.services.end()) continue;
    space.cpus_used += service->second.reserved_nano_cpus;
    space.memory_used += service->second.reserved_memory_bytes;
  }
}

bool Room::takes(const Space& space, const Service& service) {
  const model::Node& node = space.node;
  if (node.state != NodeState::kReady || node.availability != Availability::kActive) return false;
  if (!admits(node, service.constraints).value_or(true)) return false;
  const auto there = space.tasks.find(service.id);
  if (there != space.tasks.end() && there->second >= most_a_node(service)) return false;
  return enough(node.nano_cpus, space.cpus_used, service.reserved_nano_cpus) &&
         enough(node.memory_bytes, space.memory_used, service.reserved_memory_bytes);
}

int Room::place(const Service& service, int count) {
  for (int done = 0; done < count; ++done) {
    Space* best = nullptr;
    const auto rank = [&](const Space& space) {
      const auto there = space.tasks.find(service.id);
      return std::pair(space.fresh, there == space.tasks.end() ? 0 : there->second);
    };
    for (Space& space : spaces_)
      if (takes(space, service) && (best == nullptr || rank(space) < rank(*best))) best = &space;
    if (best == nullptr) return done;
    ++best->tasks[service.id];
    best->cpus_used += service.reserved_nano_cpus;
    best->memory_used += service.reserved_memory_bytes;
  }
  return count;
}

bool Room::has_place(const Service& service) const {
  return std::any_of(spaces_.begin(), spaces_.end(),
                     [&](const Space& space) { return takes(space, service); });
}

bool Room::has_place_on(const std::string& node_id, const Service& service) const {
  const auto found = at_.find(node_id);
  return found != at_.end() && takes(spaces_[found->second], service);
}

void Room::add_fresh(const Shape& shape) {
  Space space;
  space.fresh = true;
  space.node.state = NodeState::kReady;
  space.node.nano_cpus = shape.nano_cpus;
  space.node.memory_bytes = shape.memory_bytes;
  spaces_.push_back(std::move(space));
}

bool Room::fits_fresh(const Service& service, const Shape& shape) {
  Room room{model::Snapshot{}};
  room.add_fresh(shape);
  return room.place(service, 1) == 1;
}

int Room::placed(const std::string& service_id) const {
  const auto found = slots_.find(service_id);
  return found == slots_.end() ? 0 : static_cast<int>(found->second.size());
}

}  // namespace hive::decide::placement
