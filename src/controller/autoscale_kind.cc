#include "controller/autoscale_kind.h"

#include "controller/kind_base.h"
#include "controller/world_facts.h"
#include "model/autoscale.h"

namespace hive::controller {
namespace {

// x-hive.autoscale in the label hive.x; null when there is none.
Json policy_of(const model::Service& service) {
  const auto label = service.labels.find(kHiveLabel);
  if (label == service.labels.end()) return {};
  const auto hive = parse_json(label->second, kHiveLabel);
  const Json* policy = hive ? json_member(*hive, "autoscale") : nullptr;
  return policy == nullptr ? Json() : *policy;
}

bool paused(const model::Service& service) {
  return service.labels.contains(model::kAutoscalePausedLabel);
}

Status write_label(engine::Engine& engine, const std::string& id,
                   const std::optional<std::string>& value) {
  engine::ServiceWriteOptions options;
  options.registry_auth_from = "spec";
  const auto written = engine::modify_service(
      engine, id,
      [&](Json& spec) -> Result<bool> {
        Json& labels = spec["Labels"];
        if (!labels.is_object()) labels = Json::object();
        if (!value) return labels.erase(model::kAutoscalePausedLabel) > 0;
        if (labels.contains(model::kAutoscalePausedLabel)) return false;
        labels[model::kAutoscalePausedLabel] = *value;
        return true;
      },
      options);
  if (!written) return tl::unexpected(written.error());
  return {};
}

class AutoscaleKind final : public OperationKind {
 public:
  std::string_view name() const override { return "autoscale"; }

  Result<Json> check(const Json& request, const World& world) const override {
    HIVE_ASSIGN(const auto* service, service_named(world, json_string(request, "service")));
    if (policy_of(*service).is_null())
      return fail(Errc::kInvalidArgument, "service " + service->name +
                                              " is not autoscaled; give it x-hive.autoscale in "
                                              "its Compose file and deploy that");
    const Json* wanted = json_member(request, "paused");
    if (wanted == nullptr || !wanted->is_boolean())
      return fail(Errc::kInvalidArgument, "'paused' must be true or false");
    return Json{{"service", service->id},
                {"paused", *wanted},
                {"reason", json_string(request, "reason", "it was asked for")}};
  }

  std::string subject(const Json& request, const World& world) const override {
    const auto service = world.snapshot.services.find(json_string(request, "service"));
    return service == world.snapshot.services.end() ? "a service" : service->second.name;
  }

  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {service_claim(json_string(record.request, "service"))};
  }

  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    const auto found = input.world.snapshot.services.find(json_string(record.request, "service"));
    if (found == input.world.snapshot.services.end())
      return end_step(out, OperationOutcome::kFailed, "the service was removed meanwhile");
    const model::Service& service = found->second;
    if (record.cancelled) return end_step(out, OperationOutcome::kCancelled, "asked to end");
    const bool wanted = json_bool(record.request, "paused");
    if (paused(service) == wanted)
      return end_step(out, OperationOutcome::kSucceeded,
                      wanted ? "its autoscaling is paused" : "its autoscaling goes on");
    if (updating(service)) {
      out.progress.doing = "waits until the update of " + service.name + " has ended";
      return out;
    }
    const std::string why = json_string(record.request, "reason");
    out.actions.push_back(wanted ? autoscale_pause_action(service, "by " + record.by + ": " + why)
                                 : autoscale_resume_action(service, why));
    return out;
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_autoscale_kind() { return std::make_unique<AutoscaleKind>(); }

bool autoscale_acts(const model::Service& service) {
  const Json policy = policy_of(service);
  return policy.is_object() && !json_bool(policy, "dry_run") && !paused(service);
}

OperationAction autoscale_pause_action(const model::Service& service, std::string why) {
  OperationAction out;
  out.what = "pause the autoscaling of " + service.name;
  out.reason = why;
  out.run = [id = service.id, why = std::move(why)](Outside& outside) {
    return write_label(outside.engine, id, why);
  };
  return out;
}

OperationAction autoscale_resume_action(const model::Service& service, std::string why) {
  return {"resume the autoscaling of " + service.name, std::move(why),
          [id = service.id](Outside& outside) {
            return write_label(outside.engine, id, std::nullopt);
          }};
}

}  // namespace hive::controller
