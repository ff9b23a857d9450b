#include "controller/rollout_actions.h"

#include "controller/routing.h"
#include "release/keeper.h"

namespace hive::controller {
namespace {

struct Present {
  std::uint64_t version = 0;
  Json spec;
};

Result<Present> look_at(engine::Engine& engine, const std::string& service_id) {
  HIVE_ASSIGN(const Json service, engine.inspect_service(service_id));
  Present out;
  out.version = static_cast<std::uint64_t>(json_int(service, "Version.Index"));
  const Json* spec = json_member(service, "Spec");
  if (spec == nullptr) return fail(Errc::kCorrupt, "service " + service_id + " has no Spec");
  out.spec = *spec;
  return out;
}

std::string spec_label(const Json& spec, const char* name) {
  const Json* labels = json_member(spec, "Labels");
  const Json* label = labels == nullptr ? nullptr : json_member(*labels, name);
  return label != nullptr && label->is_string() ? label->get<std::string>() : std::string();
}

bool is_ours(const Json& spec, const std::string& operation) {
  return spec_label(spec, kRolloutLabel).starts_with(operation + ".");
}

Error changed_by_others(const RolloutWrite& what) {
  return {Errc::kFailedPrecondition,
          "service " + what.request.service_name + " was changed by somebody else in the meantime",
          std::nullopt};
}

Status write(engine::Engine& engine, const RolloutWrite& what, const Present& present,
             const Json& spec, engine::ServiceWriteOptions options) {
  if (options.auth.empty()) options.registry_auth_from = "spec";
  HIVE_TRY(engine.update_service(what.request.service_id, present.version, spec, options));
  return {};
}

// What the canary ran is what the rest gets, also when its tag has been moved meanwhile.
Status take_canarys_image(engine::Engine& engine, const RolloutWrite& what, Json& spec,
                          bool& resolve) {
  const auto canary = look_at(engine, canary_name(what.request.service_name));
  if (!canary && canary.error().code == Errc::kNotFound) return {};
  if (!canary) return tl::unexpected(canary.error());
  if (!is_ours(canary->spec, what.operation)) return {};
  spec["TaskTemplate"]["ContainerSpec"]["Image"] =
      json_string(canary->spec, "TaskTemplate.ContainerSpec.Image");
  if (const Json* platforms = json_path(canary->spec, "TaskTemplate.Placement.Platforms"))
    spec["TaskTemplate"]["Placement"]["Platforms"] = *platforms;
  resolve = false;
  return {};
}

}  // namespace

Status note_release(engine::Engine& engine, const RolloutWrite& what, std::int64_t now_unix_ms) {
  HIVE_ASSIGN(const Present present, look_at(engine, what.request.service_id));
  return release::change(engine, what.request.service_id, what.request.service_name,
                         [&](release::Releases& releases) {
                           if (!is_ours(present.spec, what.operation))
                             release::note_found(releases, present.spec, now_unix_ms);
                           release::Release fresh;
                           fresh.spec = what.request.spec;
                           fresh.begun_unix_ms = now_unix_ms;
                           fresh.by = what.by;
                           fresh.why = what.request.why;
                           fresh.operation = what.operation;
                           release::begin(releases, std::move(fresh));
                           return true;
                         });
}

Status note_outcome(engine::Engine& engine, const RolloutWrite& what, release::Outcome outcome,
                    const std::string& reason, std::int64_t now_unix_ms) {
  const auto present = look_at(engine, what.request.service_id);
  if (!present && present.error().code == Errc::kNotFound) return {};  // and its releases with it
  if (!present) return tl::unexpected(present.error());
  return release::change(
      engine, what.request.service_id, what.request.service_name, [&](release::Releases& releases) {
        for (auto& release : releases.list) {
          if (release.operation != what.operation || outcome != release::Outcome::kSucceeded)
            continue;
          release.spec = settled_spec(what.request.spec, present->spec, "");
          release.spec["Labels"].erase(kRolloutLabel);
          release.image = json_string(release.spec, "TaskTemplate.ContainerSpec.Image");
        }
        release::end(releases, what.operation, outcome, reason, now_unix_ms);
        return true;
      });
}

Status write_forward(engine::Engine& engine, const RolloutWrite& what) {
  HIVE_ASSIGN(const Present present, look_at(engine, what.request.service_id));
  const std::string mark = rollout_mark(what.operation, Way::kForward, what.write);
  if (spec_label(present.spec, kRolloutLabel) == mark) return {};
  const bool ours = is_ours(present.spec, what.operation);
  if (ours) {  // Swarm had paused it: the same spec makes it go on
    Json again = present.spec;
    again["Labels"][kRolloutLabel] = mark;
    return write(engine, what, present, again, {});
  }
  if (what.write > 1) return tl::unexpected(changed_by_others(what));
  if (!what.request.base.empty() && base_digest(present.spec) != what.request.base)
    return tl::unexpected(changed_by_others(what));
  Json spec = forward_spec(what.request, present.spec, mark);
  engine::ServiceWriteOptions options;
  options.auth = what.auth;
  options.query_registry = what.request.resolve;
  HIVE_TRY(take_canarys_image(engine, what, spec, options.query_registry));
  return write(engine, what, present, spec, options);
}

Status write_back(engine::Engine& engine, const RolloutWrite& what) {
  HIVE_ASSIGN(const Present present, look_at(engine, what.request.service_id));
  const std::string mark = rollout_mark(what.operation, Way::kBack, what.write);
  if (spec_label(present.spec, kRolloutLabel) == mark) return {};
  if (!is_ours(present.spec, what.operation)) return tl::unexpected(changed_by_others(what));
  HIVE_ASSIGN(const auto releases, release::read(engine, what.request.service_id));
  const release::Release* good = release::current(releases);
  if (good == nullptr)
    return fail(Errc::kNotFound,
                "no release of " + what.request.service_name + " is known to go back to");
  return write(engine, what, present, back_spec(what.request, good->spec, present.spec, mark),
               {.registry_auth_from = "previous-spec"});
}

Status write_settled(engine::Engine& engine, const RolloutWrite& what, bool good) {
  const auto present = look_at(engine, what.request.service_id);
  if (!present && present.error().code == Errc::kNotFound) return {};
  if (!present) return tl::unexpected(present.error());
  const std::string mark = rollout_mark(what.operation, Way::kDone, 1);
  const std::string label = spec_label(present->spec, kRolloutLabel);
  if (label == mark || !is_ours(present->spec, what.operation)) return {};
  Json wanted = what.request.spec;
  if (!good) {
    HIVE_ASSIGN(const auto releases, release::read(engine, what.request.service_id));
    if (const auto* last = release::current(releases)) wanted = last->spec;
  }
  if (!needs_settling(wanted, present->spec)) return {};
  return write(engine, what, *present, settled_spec(wanted, present->spec, mark), {});
}

Status create_canary(engine::Engine& engine, const RolloutWrite& what) {
  engine::ServiceWriteOptions options;
  options.auth = what.auth;
  options.query_registry = what.request.resolve;
  const Json spec = canary_spec(what.request, what.operation);
  const auto created = engine.create_service(spec, options);
  if (created) return {};
  if (created.error().code != Errc::kAlreadyExists) return tl::unexpected(created.error());
  const std::string name = json_string(spec, "Name");
  HIVE_ASSIGN(const Present present, look_at(engine, name));
  if (is_ours(present.spec, what.operation)) return {};
  if (spec_label(present.spec, kCanaryOfLabel) != what.request.service_id)
    return fail(Errc::kFailedPrecondition, "a service named " + name +
                                               " is there, which is no canary of " +
                                               what.request.service_name + "; remove or rename it");
  HIVE_TRY(engine.remove_service(name));  // of a rollout that could not clear it away
  HIVE_TRY(engine.create_service(spec, options));
  return {};
}

Status stop_canary(engine::Engine& engine, const std::string& canary_id) {
  const auto stopped =
      engine::modify_service(engine, canary_id,
                             [](Json& spec) -> Result<bool> {
                               if (json_int(spec, "Mode.Replicated.Replicas", -1) == 0)
                                 return false;
                               spec["Mode"] = {{"Replicated", {{"Replicas", 0}}}};
                               return true;
                             },
                             {.registry_auth_from = "spec"});
  if (!stopped && stopped.error().code != Errc::kNotFound) return tl::unexpected(stopped.error());
  return {};
}

}  // namespace hive::controller
