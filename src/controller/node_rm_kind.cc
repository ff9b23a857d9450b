#include "controller/node_rm_kind.h"

#include <algorithm>

#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/node_leave_part.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

using model::NodeState;

// So long a node is down before it is taken for dead.
constexpr std::int64_t kDeadMs = 60'000;
// So long its removal waits at most for the balancer to let it go.
constexpr std::int64_t kBalancerMs = 60'000;

std::vector<std::string> node_and_managers(const OperationRecord& record) {
  std::vector<std::string> out{node_claim(json_string(record.request, "node"))};
  if (json_bool(record.request, "manager")) out.emplace_back(kManagersClaim);
  return out;
}

class NodeRmKind final : public OperationKind {
 public:
  std::string_view name() const override { return "node_rm"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* node, node_named(world, json_string(request, "node")));
    HIVE_ASSIGN(const auto timeout, timeout_of(request));
    if (const auto why = breaks_quorum(world.snapshot, *node); !why.empty())
      return fail(Errc::kFailedPrecondition, why);
    return Json{{"node", node->id},
                {"name", node->hostname},
                {"manager", node->role == model::Role::kManager},
                {"force", json_bool(request, "force")},
                {"timeout_ms", timeout}};
  }
  std::string subject(const Json& request, const World&) const override {
    return "node " + json_string(request, "name");
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    auto out = drain_claims(part_of(record.state, "drain"));
    for (auto& claim : node_and_managers(record)) out.push_back(std::move(claim));
    return out;
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const std::string node = json_string(record.request, "node");
    if (!input.world.snapshot.nodes.contains(node))
      return end_step(out, OperationOutcome::kSucceeded, "removed");
    const DrainAsk ask{record, input, node, "the node is removed", deadline_of(record)};
    Json part = part_of(out.state, "drain");
    const bool leaving = json_bool(out.state, "leaving");
    if (record.cancelled && !leaving) {
      const bool done = undrain_part(ask, part, out);
      out.state["drain"] = std::move(part);
      return done ? end_step(out, OperationOutcome::kCancelled, "asked to end") : out;
    }
    if (!leaving && !json_bool(record.request, "force")) {
      const bool drained = drain_part(ask, part, out);
      out.state["drain"] = std::move(part);
      if (!drained) return out;
    }
    out.state["leaving"] = true;
    (void)node_leave_part(input.world, node, "it was asked for by " + record.by, out);
    return out;
  }
};

// Down, and the cloud, which was looked at, knows no instance of that name or address.
bool dead(const World& world, const model::Node& node) {
  if (node.state != NodeState::kDown || !world.cloud) return false;
  const std::string address = reachable_address(node);
  const auto& instances = world.cloud->instances;
  return std::none_of(instances.begin(), instances.end(), [&](const cloud::Instance& instance) {
    return instance.state != cloud::InstanceState::kTerminated &&
           (instance.address == address ||
            (instance.hostname == node.hostname && instance.address.empty()));
  });
}

// Behind the balancer, of machines that the cloud does not list, or lists as ended: their ids are
// all that is left of them. What leaves already is not among them.
std::vector<std::string> targets_without_machine(const World& world) {
  std::vector<std::string> out;
  if (!world.cloud || !world.cloud->has_balancer) return out;
  const auto& instances = world.cloud->instances;
  for (const auto& target : world.cloud->balancer.targets)
    if (target.health != cloud::TargetHealth::kDraining &&
        std::none_of(instances.begin(), instances.end(), [&](const cloud::Instance& instance) {
          return instance.id == target.instance_id &&
                 instance.state != cloud::InstanceState::kTerminated;
        }))
      out.push_back(target.instance_id);
  return out;
}

OperationAction deregister_dead_action(const std::string& id) {
  return {"take " + id + " out of the cloud's balancer", "its machine is gone",
          [id](Outside& outside) -> Status {
            HIVE_ASSIGN(const auto cloud, outside.cloud());
            auto left = cloud->deregister_instance(id);
            if (!left && left.error().code != Errc::kNotFound) return left;
            return {};
          }};
}

class NodeReapKind final : public OperationKind {
 public:
  std::string_view name() const override { return kNodeReap; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* node, node_named(world, json_string(request, "node")));
    if (!dead(world, *node))
      return fail(Errc::kFailedPrecondition, "node " + node->hostname + " is not known to be dead");
    return Json{{"node", node->id},
                {"name", node->hostname},
                {"manager", node->role == model::Role::kManager}};
  }
  std::string subject(const Json& request, const World&) const override {
    return "node " + json_string(request, "name");
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    return node_and_managers(record);
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const auto node = input.world.snapshot.nodes.find(json_string(record.request, "node"));
    if (node == input.world.snapshot.nodes.end())
      return end_step(out, OperationOutcome::kSucceeded,
                      "removed: it was down and its instance is gone");
    if (record.cancelled) return end_step(out, OperationOutcome::kCancelled, "asked to end");
    const bool sure = dead(input.world, node->second);
    if (!sure && input.world.cloud && node->second.state == NodeState::kReady)
      return end_step(out, OperationOutcome::kSucceeded, "it came back");
    out.progress.doing = "waits whether it comes back";
    const auto gone = targets_without_machine(input.world);
    // One that was registered in this very moment may be in the one list and not yet in the other.
    if (input.world.cloud && !out.state.contains("behind_balancer"))
      out.state["behind_balancer"] = gone;
    const auto passed_ms = input.world.now_unix_ms - record.created_unix_ms;
    if (!sure || passed_ms < kDeadMs) return out;
    for (const auto& id : gone)
      if (std::find(out.state["behind_balancer"].begin(), out.state["behind_balancer"].end(), id) !=
          out.state["behind_balancer"].end())
        out.actions.push_back(deregister_dead_action(id));
    if (!out.actions.empty() && passed_ms < kDeadMs + kBalancerMs) {
      out.progress.doing = "takes it out of the cloud's balancer";
      out.look_again = kNodesLookAgain;
      return out;
    }
    (void)node_leave_part(input.world, node->second.id, "it is dead", out);
    return out;
  }

  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>& known) const override {
    std::vector<OperationRequest> out;
    // It would be refused, and may be for as long as another machine takes to come.
    const bool managers_held = std::any_of(known.begin(), known.end(), holds_managers);
    for (const auto& [id, node] : world.snapshot.nodes)
      if (dead(world, node) && !(managers_held && node.role == model::Role::kManager))
        out.push_back({"reap-" + id.substr(0, 40), kNodeReap, "hive", Json{{"node", id}}});
    return out;
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_node_rm_kind() { return std::make_unique<NodeRmKind>(); }
std::unique_ptr<OperationKind> make_node_reap_kind() { return std::make_unique<NodeReapKind>(); }

}  // namespace hive::controller
