#include "controller/instance_end_kind.h"

#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/node_leave_part.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

// A cloud's list may be a moment old: before it is believed that an instance is gone.
constexpr std::int64_t kCloudTellsMs = 30'000;

const model::Node* node_of(const World& world, const cloud::Instance& instance) {
  for (const auto& [id, node] : world.snapshot.nodes)
    if (instance_of(world, node) == &instance) return &node;
  return nullptr;
}

class InstanceEndKind final : public OperationKind {
 public:
  explicit InstanceEndKind(bool terminates) : terminates_(terminates) {}
  std::string_view name() const override {
    return terminates_ ? "instance_terminate" : "instance_stop";
  }

  Result<Json> check(const Json& request, const World& world) const override {
    const std::string word = json_string(request, "instance");
    HIVE_ASSIGN(const auto timeout, timeout_of(request));
    if (!world.cloud)
      return fail(Errc::kUnavailable,
                  "the cloud does not answer this controller, or there is none");
    for (const auto& instance : world.cloud->instances) {
      if (instance.id != word && instance.hostname != word) continue;
      const auto* node = node_of(world, instance);
      const bool up = node != nullptr && node->state == model::NodeState::kReady;
      if (node != nullptr && (terminates_ || up))
        if (const auto why = breaks_quorum(world.snapshot, *node, !terminates_); !why.empty())
          return fail(Errc::kFailedPrecondition, why);
      return Json{{"instance", instance.id},
                  {"name", instance.hostname},
                  {"node", node == nullptr ? "" : node->id},
                  {"manager", node != nullptr && node->role == model::Role::kManager},
                  {"timeout_ms", timeout}};
    }
    return fail(Errc::kNotFound, "there is no instance '" + word + "'");
  }
  std::string subject(const Json& request, const World&) const override {
    return "instance " + json_string(request, "name");
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    auto out = drain_claims(part_of(record.state, "drain"));
    out.push_back("instance:" + json_string(record.request, "instance"));
    if (const auto node = json_string(record.request, "node"); !node.empty())
      out.push_back(node_claim(node));
    if (json_bool(record.request, "manager")) out.emplace_back(kManagersClaim);
    return out;
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const World& world = input.world;
    const std::string node = json_string(record.request, "node");
    const DrainAsk ask{record, input, node,
                       terminates_ ? "its instance is terminated" : "its instance is stopped",
                       deadline_of(record)};
    const bool ending = json_bool(out.state, "ending");
    const bool there = !node.empty() && world.snapshot.nodes.contains(node);
    if (there && !ending) {
      Json part = part_of(out.state, "drain");
      const bool back = record.cancelled;
      const bool done = back ? undrain_part(ask, part, out) : drain_part(ask, part, out);
      out.state["drain"] = std::move(part);
      if (!done) return out;
    }
    if (record.cancelled && !ending)
      return end_step(out, OperationOutcome::kCancelled, "asked to end");
    out.state["ending"] = true;
    if (terminates_ && there) {
      (void)node_leave_part(world, node, "its instance is terminated", out);
      return out;
    }
    return end_machine(record, input, std::move(out));
  }

 private:
  // A stopped one serves again when it is started: nothing is planned on a node that is down.
  static bool put_back(const World& world, const cloud::Instance& instance, OperationStep& out) {
    const auto* node = node_of(world, instance);
    const Json drain = part_of(out.state, "drain");
    if (node == nullptr || json_string(drain, "was") != "active" ||
        node->availability == model::Availability::kActive)
      return true;
    out.progress.doing = "waits until Swarm knows that its node is down";
    if (node->state != model::NodeState::kDown) return false;
    out.actions.push_back(availability_action(*node, "active", "it may serve once it is started"));
    if (drain.contains("deregistered"))
      out.actions.push_back(register_action(instance, "it may serve once it is started"));
    return false;
  }

  OperationStep end_machine(const OperationRecord& record, const OperationInput& input,
                            OperationStep out) const {
    const std::string id = json_string(record.request, "instance");
    const cloud::Instance* instance = nullptr;
    if (input.world.cloud)
      for (const auto& one : input.world.cloud->instances)
        if (one.id == id) instance = &one;
    const bool told = json_bool(out.state, "told") && !input.failure;
    const bool over = instance == nullptr || instance->state == cloud::InstanceState::kTerminated ||
                      (!terminates_ && instance->state == cloud::InstanceState::kStopped);
    if (told && input.world.cloud && over) {
      if (!terminates_ && instance != nullptr && !put_back(input.world, *instance, out)) return out;
      return end_step(
          out, OperationOutcome::kSucceeded,
          (terminates_ ? "terminated; " : "stopped; ") + drained_what(part_of(out.state, "drain")));
    }
    out.progress.doing = terminates_ ? "the cloud terminates it" : "the cloud stops it";
    out.look_again = Milliseconds(500);
    const auto told_at = json_int(out.state, "told_unix_ms");
    if (told && input.world.now_unix_ms - told_at < kCloudTellsMs) return out;
    out.state["told"] = true;
    out.state["told_unix_ms"] = input.world.now_unix_ms;
    out.actions.push_back(
        {(terminates_ ? "terminate " : "stop ") + json_string(record.request, "name"),
         "asked for by " + record.by, [id, terminates = terminates_](Outside& outside) -> Status {
           HIVE_ASSIGN(const auto cloud, outside.cloud());
           const auto done = terminates ? cloud->terminate(id) : cloud->stop(id);
           if (!done && done.error().code != Errc::kNotFound) return tl::unexpected(done.error());
           return {};
         }});
    return out;
  }

  const bool terminates_;
};

}  // namespace

std::unique_ptr<OperationKind> make_instance_terminate_kind() {
  return std::make_unique<InstanceEndKind>(true);
}
std::unique_ptr<OperationKind> make_instance_stop_kind() {
  return std::make_unique<InstanceEndKind>(false);
}

}  // namespace hive::controller
