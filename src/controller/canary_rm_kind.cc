#include "controller/canary_rm_kind.h"

#include <algorithm>

#include "controller/kind_base.h"
#include "controller/rollout_actions.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

constexpr std::int64_t kCanaryStopsMs = 300'000;

// Made by a rollout, and no rollout that goes on has it or will replace it.
bool stray(const model::Service& service, const std::vector<OperationRecord>& known) {
  const std::string of = label_of(service, kCanaryOfLabel);
  const std::string mark = label_of(service, kRolloutLabel);
  if (of.empty() || mark.empty()) return false;
  return std::none_of(known.begin(), known.end(), [&](const OperationRecord& record) {
    return record.outcome == OperationOutcome::kRunning && record.kind == "rollout" &&
           (mark.starts_with(record.id + ".") || json_string(record.request, "service") == of);
  });
}

bool has_tasks(const World& world, const std::string& service_id) {
  return std::any_of(world.snapshot.tasks.begin(), world.snapshot.tasks.end(),
                     [&](const auto& entry) {
                       return entry.second.service_id == service_id &&
                              entry.second.state <= model::TaskState::kRunning;
                     });
}

class CanaryRmKind final : public OperationKind {
 public:
  std::string_view name() const override { return "canary_rm"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* canary, service_named(world, json_string(request, "canary")));
    const std::string of = label_of(*canary, kCanaryOfLabel);
    if (of.empty())
      return fail(Errc::kInvalidArgument, "service " + canary->name + " is no canary");
    return Json{{"canary", canary->id}, {"name", canary->name}, {"of", of}};
  }
  std::string subject(const Json& request, const World&) const override {
    return json_string(request, "name");
  }
  // A new rollout of the service waits until the old canary is gone.
  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {service_claim(json_string(record.request, "canary")),
            service_claim(json_string(record.request, "of"))};
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    const std::string id = json_string(record.request, "canary");
    const auto found = input.world.snapshot.services.find(id);
    if (found == input.world.snapshot.services.end())
      return end_step(out, OperationOutcome::kSucceeded, "removed: no rollout knew it any more");
    if (record.cancelled) return end_step(out, OperationOutcome::kCancelled, "asked to end");
    const bool late = input.world.now_unix_ms - record.created_unix_ms > kCanaryStopsMs;
    if (found->second.replicas > 0 && !late) {
      out.actions.push_back({"stop the canary " + found->second.name,
                             "no rollout knows it any more; its tasks finish their requests first",
                             [id](Outside& outside) { return stop_canary(outside.engine, id); }});
      return out;
    }
    if (has_tasks(input.world, id) && !late) {
      out.progress.doing = "waits until the canary's requests have ended";
      return out;
    }
    out.actions.push_back({"remove the canary " + found->second.name,
                           late ? "its tasks did not end in time" : "it has no task left",
                           [id](Outside& outside) -> Status {
                             auto removed = outside.engine.remove_service(id);
                             if (!removed && removed.error().code != Errc::kNotFound)
                               return removed;
                             return {};
                           }});
    return out;
  }

  std::vector<OperationRequest> propose(const World& world,
                                        const std::vector<OperationRecord>& known) const override {
    std::vector<OperationRequest> out;
    for (const auto& [id, service] : world.snapshot.services)
      if (stray(service, known))
        out.push_back({"canary-" + id.substr(0, 40), "canary_rm", "hive", Json{{"canary", id}}});
    return out;
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_canary_rm_kind() { return std::make_unique<CanaryRmKind>(); }

}  // namespace hive::controller
