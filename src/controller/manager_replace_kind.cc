#include "controller/manager_replace_kind.h"

#include <algorithm>

#include "controller/kind_base.h"
#include "controller/launch_part.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

// The cloud's list may be a moment old: so long it must list no machine of that name.
constexpr std::int64_t kSureMs = 30'000;
constexpr const char* kRollout = "rollout";

std::string name_of(const World& world, std::int64_t number) {
  return world.settings.name + "-manager-" + std::to_string(number);
}

bool wanted(const World& world, std::int64_t number) {
  return world.settings.replace_managers && number >= 1 && number <= world.settings.managers;
}

const model::Node* node_called(const World& world, const std::string& name) {
  for (const auto& [id, node] : world.snapshot.nodes)
    if (node.hostname == name) return &node;
  return nullptr;
}

// Why the manager is not to be launched now; empty when it is.
std::string there_already(const World& world, const std::string& name) {
  if (instance_named(world, name) != nullptr) return "the cloud lists " + name;
  if (node_called(world, name) != nullptr) return name + " is a node of the Swarm";
  return "";
}

const model::Service* updating_service(const World& world) {
  for (const auto& [id, service] : world.snapshot.services)
    if (updating(service)) return &service;
  return nullptr;
}

bool running(const OperationRecord& record) { return record.outcome == OperationOutcome::kRunning; }

class ManagerReplaceKind final : public OperationKind {
 public:
  std::string_view name() const override { return kManagerReplace; }

  Result<Json> check(const Json& request, const World& world) const override {
    const auto number = json_int(request, "number");
    if (!world.cloud)
      return fail(Errc::kUnavailable,
                  "the cloud does not answer this controller, or there is none");
    if (!wanted(world, number))
      return fail(Errc::kFailedPrecondition,
                  "the file does not ask for it: see x-hive.managers and x-hive.replace_managers");
    const std::string name = name_of(world, number);
    if (const auto why = there_already(world, name); !why.empty())
      return fail(Errc::kAlreadyExists, why);
    return Json{{"number", number},
                {"name", name},
                {"manager", true},
                {"timeout_ms", std::max(kLeastJoinMs, world.settings.workers.join_timeout_ms)}};
  }
  std::string subject(const Json& request, const World&) const override {
    return "manager " + json_string(request, "name");
  }
  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {kManagersClaim, "instance:" + json_string(record.request, "name")};
  }

  // The first that is missing: one at a time.
  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>& known) const override {
    if (!world.cloud || updating_service(world) != nullptr) return {};
    for (const auto& record : known)
      if (holds_managers(record) || (running(record) && record.kind == kRollout)) return {};
    for (std::int64_t number = 1; wanted(world, number); ++number)
      if (there_already(world, name_of(world, number)).empty())
        return {{.id = next_id(number, known),
                 .kind = kManagerReplace,
                 .by = "hive",
                 .request = {{"number", number}}}};
    return {};
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json{{"attempt", 1}} : record.state;
    out.look_again = Milliseconds(500);
    const bool begun = out.state.contains("asked_unix_ms") || json_int(out.state, "attempt") > 1;
    if (!begun && !may_begin(record, input, out)) return out;
    const std::string name = json_string(record.request, "name");
    launch_part({.record = record,
                 .input = input,
                 .name = name,
                 .role = model::Role::kManager,
                 .reason = "its machine is gone, and the file asks for " +
                           std::to_string(input.world.settings.managers) + " managers",
                 .timeout_ms = json_int(record.request, "timeout_ms", kLeastJoinMs),
                 .max_workers = 0,
                 .token = record.id + "-" + std::to_string(record.created_unix_ms)},
                out);
    return out;
  }

 private:
  // The next after one that succeeded, else the same again: ids follow from what is written.
  static std::string next_id(std::int64_t number, const std::vector<OperationRecord>& known) {
    std::int64_t round = 1;
    for (const auto& record : known)
      if (record.kind == kManagerReplace && json_int(record.request, "number") == number)
        round = std::max(
            round, round_of(record.id) + (record.outcome == OperationOutcome::kSucceeded ? 1 : 0));
    return "manager-" + std::to_string(number) + "-" + std::to_string(round);
  }
  static std::int64_t round_of(const std::string& id) {
    const auto dash = id.rfind('-');
    return dash == std::string::npos ? 1 : std::atoll(id.c_str() + dash + 1);
  }

  // Nothing was launched yet. Ends the operation where there is nothing to do.
  static bool may_begin(const OperationRecord& record, const OperationInput& input,
                        OperationStep& out) {
    const World& world = input.world;
    if (record.cancelled) {
      out = end_step(std::move(out), OperationOutcome::kCancelled, "asked to end");
      return false;
    }
    out.progress.doing = "waits for the cloud's word";
    // Without a name, the settings are just being written.
    if (!world.cloud || world.settings.name.empty()) return false;
    if (!wanted(world, json_int(record.request, "number"))) {
      out = end_step(std::move(out), OperationOutcome::kCancelled,
                     "the file does not ask for it any more");
      return false;
    }
    if (const auto why = there_already(world, json_string(record.request, "name")); !why.empty()) {
      out =
          end_step(std::move(out), OperationOutcome::kSucceeded, "nothing had to be done: " + why);
      return false;
    }
    out.progress.doing = "waits whether the cloud lists its machine after all";
    if (world.now_unix_ms - record.created_unix_ms < kSureMs) return false;
    if (const auto* service = updating_service(world); service != nullptr) {
      out.progress.doing = "waits until the update of " + service->name + " is over";
      return false;
    }
    out.progress.doing = "waits until the rollout is over";
    return !input.under_way || !input.under_way(kRollout);
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_manager_replace_kind() {
  return std::make_unique<ManagerReplaceKind>();
}

}  // namespace hive::controller
