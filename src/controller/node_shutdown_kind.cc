#include "controller/node_shutdown_kind.h"

#include <algorithm>

#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

using model::Availability;
using model::NodeState;

// What the agent keeps for itself: tasks that were not moved, and its edge's last requests.
constexpr std::int64_t kAgentsPercent = 45;
// A machine that is still up so long after its time has not shut down.
constexpr std::int64_t kNotDownMs = 300'000;

bool busy_with(const OperationRecord& record, const std::string& node_id) {
  return record.outcome == OperationOutcome::kRunning &&
         json_string(record.request, "node") == node_id;
}

class NodeShutdownKind final : public OperationKind {
 public:
  std::string_view name() const override { return "node_shutdown"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* node, node_named(world, json_string(request, "node")));
    HIVE_ASSIGN(const auto timeout, timeout_of(request));
    return Json{{"node", node->id}, {"timeout_ms", timeout}};
  }
  std::string subject(const Json& request, const World& world) const override {
    return "node " + node_name(world.snapshot, json_string(request, "node"));
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    auto out = drain_claims(record.state.value("drain", Json()));
    out.push_back(node_claim(json_string(record.request, "node")));
    return out;
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const std::string id = json_string(record.request, "node");
    const auto found = input.world.snapshot.nodes.find(id);
    if (found == input.world.snapshot.nodes.end())
      return end_step(out, OperationOutcome::kSucceeded, "the node is gone");
    const model::Node& node = found->second;
    const DrainAsk ask{record, input, id, "its machine shuts down", deadline_of(record)};
    Json part = out.state.value("drain", Json());
    const bool overdue = input.world.now_unix_ms > deadline_of(record) + kNotDownMs;
    const bool back = record.cancelled || node.state == NodeState::kDown || overdue;
    if (back) return put_back(ask, std::move(part), std::move(out));
    const bool done = drain_part(ask, part, out);
    out.state["drain"] = std::move(part);
    if (done) out.progress.doing = "waits until the machine is down";
    return out;
  }

  // One operation for each shutdown that an agent tells of, unless another one has the node: what
  // empties it then is that.
  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>& known) const override {
    std::vector<OperationRequest> out;
    for (const auto& [id, report] : world.reports) {
      const std::string& node_id = id;
      const auto node = world.snapshot.nodes.find(id);
      if (report.departs_in_ms <= 0 || node == world.snapshot.nodes.end() ||
          node->second.state != NodeState::kReady ||
          std::any_of(known.begin(), known.end(),
                      [&](const OperationRecord& record) { return busy_with(record, node_id); }))
        continue;
      out.push_back({"shutdown-" + id.substr(0, 25) + "-" + std::to_string(node->second.version),
                     "node_shutdown", "hive",
                     Json{{"node", id},
                          {"timeout_ms", report.departs_in_ms * (100 - kAgentsPercent) / 100}}});
    }
    return out;
  }

 private:
  // Swarm plans nothing on a node that is down: active, it serves as soon as it is back. Surges
  // that its end made superfluous are taken back.
  static OperationStep put_back(const DrainAsk& ask, Json part, OperationStep out) {
    const bool done = undrain_part(ask, part, out);
    const std::string what = drained_what(part);
    out.state["drain"] = std::move(part);
    if (!done) return out;
    if (ask.record.cancelled) return end_step(out, OperationOutcome::kCancelled, "asked to end");
    return end_step(out, OperationOutcome::kSucceeded, what);
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_node_shutdown_kind() {
  return std::make_unique<NodeShutdownKind>();
}

}  // namespace hive::controller
