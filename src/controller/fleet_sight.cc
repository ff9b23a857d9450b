#include "controller/fleet_sight.h"

#include <algorithm>
#include <map>

#include "controller/drain_part.h"
#include "controller/instance_launch_kind.h"
#include "controller/node_rm_kind.h"
#include "controller/workers_grow_kind.h"

namespace hive::controller {
namespace {

using cloud::Membership;
using decide::fleet::Worker;

constexpr std::size_t kMaxIdOfReaping = 40;  // operations' ids have 48 characters

Worker worker_of(const cloud::Instance& instance, const model::Node* node) {
  Worker out{instance.id, instance.hostname, "", false, instance.launched_unix_ms};
  // Somebody made it a manager: then it is one.
  if (node == nullptr || node->role == model::Role::kManager) return out;
  out.node_id = node->id;
  out.serves =
      node->state == model::NodeState::kReady && node->availability == model::Availability::kActive;
  return out;
}

bool ready(const model::Node* node) {
  return node != nullptr && node->state == model::NodeState::kReady;
}

// Instances that operations start by their names.
void add_named(const World& world, const std::vector<OperationRecord>& records, FleetSight& out) {
  for (const auto& record : records) {
    if (record.kind != kInstanceLaunch || record.outcome != OperationOutcome::kRunning) continue;
    const auto name = json_string(record.request, "name");
    const auto& nodes = world.snapshot.nodes;
    if (std::any_of(nodes.begin(), nodes.end(), [&](const auto& entry) {
          return entry.second.hostname == name && ready(&entry.second);
        }))
      continue;
    out.coming.insert(name);
    if (std::none_of(out.workers.begin(), out.workers.end(),
                     [&](const Worker& one) { return one.hostname == name; }))
      ++out.unborn;
  }
}

}  // namespace

FleetSight fleet_sight(const World& world, const std::vector<OperationRecord>& records,
                       const std::string& leaving) {
  FleetSight out;
  int members = 0;
  for (const auto& instance : world.cloud->instances) {
    if (instance.role != "worker" || instance.state == cloud::InstanceState::kTerminated) continue;
    const model::Node* node = node_of(world, instance);
    if (instance.membership == Membership::kEnding && instance.id != leaving) {
      if (node != nullptr) out.going.insert(node->id);
      continue;
    }
    if (instance.membership == Membership::kComing && !ready(node))
      out.coming.insert(instance.hostname);
    if (instance.membership == Membership::kComing || instance.membership == Membership::kServing)
      ++members;
    out.workers.push_back(worker_of(instance, node));
  }
  if (world.cloud->group)
    out.nameless = out.unborn = std::max(0, desired_workers(world, records) - members);
  else
    add_named(world, records, out);
  return out;
}

std::vector<Replacement> replacements_due(const World& world,
                                          const std::vector<OperationRecord>& records) {
  std::vector<Replacement> out;
  if (!world.cloud || world.cloud->group) return out;
  std::map<std::string, const OperationRecord*> last;  // attempt, by reaping
  for (const auto& record : records) {
    if (record.kind == kNodeReap && record.outcome == OperationOutcome::kSucceeded &&
        !json_bool(record.request, "manager") &&
        !world.snapshot.nodes.contains(json_string(record.request, "node")))
      last.try_emplace(record.id, nullptr);
    if (record.kind != kInstanceLaunch) continue;
    const auto of = json_string(record.request, "replaces");
    if (of.empty()) continue;
    auto& known = last[of];
    if (known == nullptr ||
        json_int(known->request, "attempt") < json_int(record.request, "attempt"))
      known = &record;
  }
  for (const auto& [of, record] : last) {
    if (record != nullptr && record->outcome != OperationOutcome::kFailed) continue;
    const auto attempt = record == nullptr ? 1 : json_int(record->request, "attempt") + 1;
    out.push_back(
        {of, attempt, "for-" + of.substr(0, kMaxIdOfReaping) + "-" + std::to_string(attempt)});
  }
  return out;
}

}  // namespace hive::controller
