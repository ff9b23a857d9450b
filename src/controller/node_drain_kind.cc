#include "controller/node_drain_kind.h"

#include <algorithm>

#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

using model::Availability;

std::string node_subject(const Json& request, const World& world) {
  return "node " + node_name(world.snapshot, json_string(request, "node"));
}

bool about(const OperationRecord& record, const std::string& node_id) {
  return record.outcome == OperationOutcome::kRunning &&
         json_string(record.request, "node") == node_id;
}

class NodeDrainKind final : public OperationKind {
 public:
  std::string_view name() const override { return "node_drain"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* node, node_named(world, json_string(request, "node")));
    HIVE_ASSIGN(const auto timeout, timeout_of(request));
    return Json{{"node", node->id},
                {"timeout_ms", timeout},
                {"returns", json_bool(request, "returns")},
                {"reason", json_string(request, "reason", "the node is emptied")}};
  }
  std::string subject(const Json& request, const World& world) const override {
    return node_subject(request, world);
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    auto out = drain_claims(part_of(record.state, "drain"));
    out.push_back(node_claim(json_string(record.request, "node")));
    return out;
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const std::string node = json_string(record.request, "node");
    if (!input.world.snapshot.nodes.contains(node))
      return end_step(out, OperationOutcome::kSucceeded, "the node is gone");
    if (json_bool(out.state, "away")) return take_in(record, input.world, std::move(out));
    Json part = part_of(out.state, "drain");
    const DrainAsk ask{record, input, node, json_string(record.request, "reason"),
                       deadline_of(record)};
    const bool done = record.cancelled ? undrain_part(ask, part, out) : drain_part(ask, part, out);
    const auto was = json_int(part, "left");
    out.state["drain"] = std::move(part);
    out.progress.of = static_cast<std::uint64_t>(std::max<std::int64_t>(was, 0));
    if (!done) return out;
    if (record.cancelled) return end_step(out, OperationOutcome::kCancelled, "asked to end");
    if (json_bool(record.request, "returns")) {
      out.state["away"] = true;
      return out;
    }
    return end_step(out, OperationOutcome::kSucceeded,
                    "drained: " + drained_what(out.state["drain"]));
  }

  // Nodes that somebody else has set to drain, while tasks are held there, and nodes whose machine
  // shuts down, as their agents say.
  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>& known) const override {
    std::vector<OperationRequest> out;
    for (const auto& [id, node] : world.snapshot.nodes) {
      const std::string& node_id = id;
      const auto report = world.reports.find(id);
      if (report != world.reports.end() && report->second.departs_in_ms > 0 &&
          node.availability == Availability::kActive && node.state == model::NodeState::kReady &&
          std::none_of(known.begin(), known.end(),
                       [&](const OperationRecord& record) { return about(record, node_id); }))
        out.push_back({"leave-" + id.substr(0, 25) + "-" + std::to_string(node.version),
                       "node_drain", "hive",
                       Json{{"node", id},
                            {"timeout_ms", report->second.departs_in_ms * 6 / 10},
                            {"returns", true},
                            {"reason", "its machine shuts down"}}});
      if (node.availability != Availability::kDrain || node.state != model::NodeState::kReady ||
          !drains_by_swarm(world.snapshot, id) ||
          std::any_of(known.begin(), known.end(),
                      [&](const OperationRecord& record) { return about(record, node_id); }))
        continue;
      out.push_back({"drain-" + id.substr(0, 25) + "-" + std::to_string(node.version), "node_drain",
                     "hive", Json{{"node", id}, {"reason", "the node was set to drain"}}});
    }
    return out;
  }

 private:
  // Nothing is planned on a node that is down, so it may be active again: when its machine is back,
  // it serves.
  static OperationStep take_in(const OperationRecord& record, const World& world,
                               OperationStep out) {
    const auto& node = world.snapshot.nodes.at(json_string(record.request, "node"));
    const auto report = world.reports.find(node.id);
    const bool stays = report != world.reports.end() && report->second.departs_in_ms == 0;
    out.progress.doing = "waits until its machine is down";
    if (node.state == model::NodeState::kReady && !stays) return out;
    const Json drain = part_of(out.state, "drain");
    if (node.availability == Availability::kActive || json_string(drain, "was") != "active")
      return end_step(out, OperationOutcome::kSucceeded,
                      "drained: " + drained_what(drain) + "; it may serve when it is back");
    out.actions.push_back(availability_action(node, "active", "it may serve when it is back"));
    const auto* instance = instance_of(world, node);
    if (instance != nullptr && drain.contains("deregistered"))
      out.actions.push_back(register_action(*instance, "it may serve when it is back"));
    return out;
  }
};

class NodeActivateKind final : public OperationKind {
 public:
  std::string_view name() const override { return "node_activate"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* node, node_named(world, json_string(request, "node")));
    return Json{{"node", node->id}};
  }
  std::string subject(const Json& request, const World& world) const override {
    return node_subject(request, world);
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {node_claim(json_string(record.request, "node"))};
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const auto found = input.world.snapshot.nodes.find(json_string(record.request, "node"));
    if (found == input.world.snapshot.nodes.end())
      return end_step(out, OperationOutcome::kFailed, "the node is gone");
    const auto& node = found->second;
    if (json_bool(out.state, "written") && !input.failure)
      return end_step(out, OperationOutcome::kSucceeded, "takes tasks");
    out.state["written"] = true;
    if (node.availability != Availability::kActive)
      out.actions.push_back(availability_action(node, "active", "it shall take tasks again"));
    const auto* instance = instance_of(input.world, node);
    if (instance != nullptr && input.world.cloud->has_balancer)
      out.actions.push_back(register_action(*instance, "it shall serve again"));
    if (out.actions.empty()) return end_step(out, OperationOutcome::kSucceeded, "takes tasks");
    return out;
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_node_drain_kind() { return std::make_unique<NodeDrainKind>(); }
std::unique_ptr<OperationKind> make_node_activate_kind() {
  return std::make_unique<NodeActivateKind>();
}

}  // namespace hive::controller
