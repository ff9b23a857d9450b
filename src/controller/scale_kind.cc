#include "controller/scale_kind.h"

#include "controller/autoscale_kind.h"
#include "controller/kind_base.h"
#include "controller/shrink_part.h"
#include "controller/swarm_actions.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

namespace placement = decide::placement;

constexpr std::int64_t kMostReplicas = 999'999;
constexpr std::int64_t kStableMs = 2'000;  // new tasks must serve this long

std::string count_of(std::uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

class ScaleKind final : public OperationKind {
 public:
  std::string_view name() const override { return "scale"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* service, service_named(world, json_string(request, "service")));
    if (service->global)
      return fail(Errc::kInvalidArgument, "service " + service->name +
                                              " is global, one task on every node; only a "
                                              "replicated service can be scaled");
    const auto replicas = json_int(request, "replicas", -1);
    if (replicas < 0 || replicas > kMostReplicas)
      return fail(Errc::kInvalidArgument, "'replicas' must be a whole number from 0 on");
    return Json{{"service", service->id},
                {"replicas", replicas},
                {"autoscaler", json_bool(request, "autoscaler")},
                {"reason", json_string(request, "reason", "it was asked for")}};
  }

  std::string subject(const Json& request, const World& world) const override {
    const auto service = world.snapshot.services.find(json_string(request, "service"));
    return service == world.snapshot.services.end() ? "a service" : service->second.name;
  }

  std::vector<std::string> claims(const OperationRecord& record) const override {
    // Once the larger number was seen written, what is left is waiting: others may change it again.
    if (json_bool(record.state, "written")) return {};
    return {service_claim(json_string(record.request, "service"))};
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const auto found = input.world.snapshot.services.find(json_string(record.request, "service"));
    if (found == input.world.snapshot.services.end())
      return end(out, OperationOutcome::kFailed, "the service was removed meanwhile");
    const model::Service& service = found->second;
    if (!out.state.contains("from")) out.state["from"] = service.replicas;
    if (record.cancelled)
      return end(out, OperationOutcome::kCancelled,
                 "asked to end at " + count_of(service.replicas, "replica"));
    if (updating(service) && !json_bool(out.state, "growing")) {
      out.progress.doing = "waits until the update of " + service.name + " has ended";
      return out;
    }
    // What a person sets is theirs, until they give it back.
    if (!json_bool(record.request, "autoscaler") && !json_bool(out.state, "growing") &&
        autoscale_acts(service)) {
      out.actions.push_back(autoscale_pause_action(
          service, "scaled to " + std::to_string(json_int(record.request, "replicas")) + " by " +
                       record.by));
      out.progress.doing = "pauses its autoscaling";
      return out;
    }
    const auto target = static_cast<std::uint64_t>(json_int(record.request, "replicas"));
    const auto slots = placement::live_slots(input.world.snapshot, service, facts_of(input.world));
    if (!json_bool(out.state, "growing") && (service.replicas > target || slots.size() > target))
      shrink(record, input.world, service, target, slots.size(), out);
    else
      grow(record, input.world, service, target, slots, out);
    return out;
  }

 private:
  static OperationStep& end(OperationStep& out, OperationOutcome outcome, std::string result) {
    out.outcome = outcome;
    out.result = std::move(result);
    return out;
  }

  static std::string scaled(const OperationStep& out, std::uint64_t target) {
    const auto from = static_cast<std::uint64_t>(json_int(out.state, "from"));
    if (from == target) return "has " + count_of(target, "replica");
    return "scaled from " + std::to_string(from) + " to " + std::to_string(target);
  }

  static void shrink(const OperationRecord& record, const World& world,
                     const model::Service& service, std::uint64_t target, std::size_t live,
                     OperationStep& out) {
    Json part = part_of(out.state, "shrink");
    const ShrinkAsk ask{service, target, {}, {}, "scale-in", json_string(record.request, "reason"),
                        false};
    shrink_part(world, ask, part, out);
    out.state["shrink"] = std::move(part);
    const auto from = static_cast<std::uint64_t>(json_int(out.state, "from"));
    const std::uint64_t of = from > target ? from - target : 0;
    const std::uint64_t left = live > target ? live - target : 0;
    out.progress = {of > left ? of - left : 0, of,
                    "waits until " + count_of(left, "chosen task") + " let go"};
  }

  static void grow(const OperationRecord& record, const World& world, const model::Service& service,
                   std::uint64_t target, const std::vector<placement::Slot>& slots,
                   OperationStep& out) {
    const auto from = static_cast<std::uint64_t>(json_int(out.state, "from"));
    if (json_bool(out.state, "growing") && service.replicas == target) out.state["written"] = true;
    // Written once, it is not written again: whoever scales back to where it came from means it.
    const bool ours = service.replicas == target ||
                      (service.replicas == from && !json_bool(out.state, "written"));
    if (json_bool(out.state, "growing") && !ours) {
      end(out, OperationOutcome::kFailed,
          "its replicas were set to " + std::to_string(service.replicas) + " by somebody else");
      return;
    }
    if (service.replicas < target) {
      out.state["growing"] = true;
      out.actions.push_back(scale_action(service, target, json_string(record.request, "reason")));
      out.progress = {placement::serving(slots), target, "starts tasks"};
      return;
    }
    const auto serving = placement::serving(slots);
    const bool shrunk = out.state.contains("shrink");
    if (serving < target && !shrunk) {
      out.state.erase("serving_since_unix_ms");
      out.progress = {serving, target, "waits until the tasks serve" + trouble(world, service)};
      return;
    }
    // Those that stay served all the time: there is nothing to wait for.
    if (!shrunk && target > from) {
      if (!out.state.contains("serving_since_unix_ms"))
        out.state["serving_since_unix_ms"] = world.now_unix_ms;
      if (world.now_unix_ms - json_int(out.state, "serving_since_unix_ms") < kStableMs) {
        out.progress = {serving, target, "verifies that the tasks stay"};
        return;
      }
    }
    end(out, OperationOutcome::kSucceeded, scaled(out, target));
  }

  // Why a task of it does not run, the newest word.
  static std::string trouble(const World& world, const model::Service& service) {
    std::string said;
    std::int64_t newest = 0;
    for (const auto& [id, task] : world.snapshot.tasks) {
      if (task.service_id != service.id || task.state_since_unix_ms < newest ||
          (world.stopped.contains(id) && !found_unhealthy(task)))
        continue;
      const bool pending = task.state == model::TaskState::kPending;
      if (task.error.empty() && !pending) continue;
      newest = task.state_since_unix_ms;
      said = task.error.empty() ? task.message : task.error;
    }
    return said.empty() ? "" : " (" + said + ")";
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_scale_kind() { return std::make_unique<ScaleKind>(); }

}  // namespace hive::controller
