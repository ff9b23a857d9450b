#include "controller/instance_end_kind.h"

#include <algorithm>

#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/node_leave_part.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

// A hold ends by itself when nobody says anything for half an hour (cloud/aws/desired.cc).
constexpr std::int64_t kKeepHoldMs = 300'000;

enum class End {
  kStop,
  kTerminate,
  kHeld,  // the cloud ends it, and waits for hive's word
};

class InstanceEndKind final : public OperationKind {
 public:
  explicit InstanceEndKind(End end) : end_(end), terminates_(end != End::kStop) {}
  std::string_view name() const override {
    switch (end_) {
      case End::kStop:
        return "instance_stop";
      case End::kTerminate:
        return "instance_terminate";
      case End::kHeld:
        break;
    }
    return "instance_leave";
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
      if (end_ == End::kHeld && instance.hold != cloud::Hold::kEnding)
        return fail(Errc::kFailedPrecondition, "the cloud does not hold " + instance.hostname);
      // One that the cloud ends is not kept by a refusal.
      if (node != nullptr && end_ != End::kHeld && (terminates_ || up))
        if (const auto why = breaks_quorum(world.snapshot, *node, !terminates_); !why.empty())
          return fail(Errc::kFailedPrecondition, why);
      return Json{{"instance", instance.id},
                  {"name", instance.hostname},
                  {"node", node == nullptr ? "" : node->id},
                  {"manager", node != nullptr && node->role == model::Role::kManager},
                  {"autoscaler", json_bool(request, "autoscaler")},
                  {"reason", json_string(request, "reason",
                                         terminates_ ? "its instance is terminated"
                                                     : "its instance is stopped")},
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

  // Instances that the cloud ends, by whomever's wish.
  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>& known) const override {
    std::vector<OperationRequest> out;
    if (end_ != End::kHeld || !world.cloud) return out;
    for (const auto& instance : world.cloud->instances) {
      const bool begun = std::any_of(known.begin(), known.end(), [&](const OperationRecord& one) {
        return one.outcome == OperationOutcome::kRunning &&
               json_string(one.request, "instance") == instance.id;
      });
      if (instance.hold == cloud::Hold::kEnding && !begun)
        out.push_back(
            {"leave-" + instance.id, std::string(name()), "hive", Json{{"instance", instance.id}}});
    }
    return out;
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const World& world = input.world;
    const std::string node = json_string(record.request, "node");
    const DrainAsk ask{record, input, node, json_string(record.request, "reason"),
                       deadline_of(record)};
    keep_hold(record, world, out);
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
      (void)node_leave_part(world, node, json_string(record.request, "reason"), out);
      return out;
    }
    return end_machine(record, input, std::move(out));
  }

 private:
  static const cloud::Instance* instance_in(const World& world, const std::string& id) {
    if (world.cloud)
      for (const auto& one : world.cloud->instances)
        if (one.id == id) return &one;
    return nullptr;
  }

  static void keep_hold(const OperationRecord& record, const World& world, OperationStep& out) {
    const auto* instance = instance_in(world, json_string(record.request, "instance"));
    if (instance == nullptr || instance->hold != cloud::Hold::kEnding) return;
    const auto kept = json_int(out.state, "kept_unix_ms", record.created_unix_ms);
    if (world.now_unix_ms - kept < kKeepHoldMs) return;
    out.state["kept_unix_ms"] = world.now_unix_ms;
    out.actions.push_back({"keep " + instance->hostname + " while it is emptied",
                           "the cloud ends it otherwise",
                           [held = *instance](Outside& outside) -> Status {
                             HIVE_ASSIGN(const auto cloud, outside.cloud());
                             return cloud->keep_hold(held);
                           }});
  }

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
    const cloud::Instance* instance = instance_in(input.world, id);
    const bool over = instance == nullptr || instance->state == cloud::InstanceState::kTerminated ||
                      (!terminates_ && instance->state == cloud::InstanceState::kStopped);
    const bool asked = end_ == End::kHeld || (json_bool(out.state, "told") && !input.failure);
    if (asked && input.world.cloud && over) {
      if (!terminates_ && instance != nullptr && !put_back(input.world, *instance, out)) return out;
      return end_step(
          out, OperationOutcome::kSucceeded,
          (terminates_ ? "terminated; " : "stopped; ") + drained_what(part_of(out.state, "drain")));
    }
    out.progress.doing = terminates_ ? "the cloud terminates it" : "the cloud stops it";
    out.look_again = Milliseconds(500);
    // What is terminated through its group is held by the group's hook in its turn.
    const bool held = instance != nullptr && instance->hold == cloud::Hold::kEnding;
    if (end_ == End::kHeld && !held) return out;
    const char* stamp = held ? "released_unix_ms" : "told_unix_ms";
    const auto told_at = json_int(out.state, stamp);
    if (!input.failure && input.world.now_unix_ms - told_at < kCloudTellsMs) return out;
    out.state[stamp] = input.world.now_unix_ms;
    if (held) {
      out.actions.push_back(release_action(*instance));
      return out;
    }
    out.state["told"] = true;
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

  static OperationAction release_action(const cloud::Instance& instance) {
    return {"let the cloud end " + instance.hostname, "nothing of it is needed any more",
            [held = instance](Outside& outside) -> Status {
              HIVE_ASSIGN(const auto cloud, outside.cloud());
              return cloud->release_hold(held);
            }};
  }

  const End end_;
  const bool terminates_;
};

}  // namespace

std::unique_ptr<OperationKind> make_instance_terminate_kind() {
  return std::make_unique<InstanceEndKind>(End::kTerminate);
}
std::unique_ptr<OperationKind> make_instance_stop_kind() {
  return std::make_unique<InstanceEndKind>(End::kStop);
}
std::unique_ptr<OperationKind> make_instance_leave_kind() {
  return std::make_unique<InstanceEndKind>(End::kHeld);
}

}  // namespace hive::controller
