// service update, rollback: a service's next version, or an earlier one.
#include <charconv>
#include <memory>

#include "base/text.h"
#include "cli/context.h"
#include "cli/look.h"
#include "cli/service.h"
#include "cli/service_flags.h"
#include "cli/service_resolve.h"
#include "cli/service_rollout.h"
#include "release/keeper.h"

namespace hive::cli {
namespace {

struct FoundService {
  engine::Engine* engine = nullptr;
  model::Service service;
  Json record;  // the engine's own
  Json spec;
};

Result<FoundService> find_with_spec(Context& context, const std::string& word) {
  FoundService out;
  HIVE_ASSIGN(out.engine, context.engine());
  HIVE_ASSIGN(out.service, find_service(*out.engine, word));
  HIVE_ASSIGN(out.record, out.engine->inspect_service(out.service.id));
  out.spec = out.record.value("Spec", Json::object());
  return out;
}

Rollout rollout_of(const FoundService& found, const std::string& word) {
  Rollout out;
  out.word = word;
  out.service = found.service.id;
  out.name = out.label = found.service.name;
  out.base = found.spec;
  out.wanted = found.spec;
  return out;
}

// "update --image shop:2 --env-add": values other than the image's may be secret.
std::string why_of(const ServiceFlags& flags) {
  std::string out = "update";
  for (const auto& [name, value] : flags.text)
    if (value) out += " " + name + (name == "--image" ? " " + *value : "");
  for (const auto& [name, values] : flags.lists)
    if (!values.empty()) out += " " + name;
  for (const auto& [name, given] : flags.flags)
    if (given) out += " " + name;
  return out;
}

// --- back

struct RollbackArgs {
  std::vector<std::string> words;
  std::optional<std::string> to;
  OperationWaitFlags wait;
};

Result<const release::Release*> release_to(const release::Releases& releases,
                                           const std::optional<std::string>& to,
                                           const std::string& name) {
  if (!to) {
    if (const auto* previous = release::previous(releases)) return previous;
    return fail(Errc::kConflict, "service " + name + " has no earlier release to go back to");
  }
  std::uint64_t number = 0;
  const auto read = std::from_chars(to->data(), to->data() + to->size(), number);
  if (read.ec != std::errc() || read.ptr != to->data() + to->size())
    return fail(Errc::kInvalidArgument, "--to is '" + *to +
                                            "': it must be the number of a release, as 'hive "
                                            "service history " +
                                            name + "' shows");
  if (const auto* found = release::find(releases, number)) return found;
  return fail(Errc::kNotFound, "service " + name + " has no release " + *to +
                                   ": see 'hive service "
                                   "history " +
                                   name + "'");
}

// Swarm's own memory of one spec, where hive has none: the service was never rolled out by hive.
std::optional<Json> swarms_previous(const FoundService& found, const release::Releases& releases) {
  const Json* previous = json_member(found.record, "PreviousSpec");
  if (releases.list.size() > 1 || previous == nullptr) return std::nullopt;
  Json wanted = *previous;
  if (found.spec.contains("Mode")) wanted["Mode"] = found.spec["Mode"];
  if (release::essence(wanted) == release::essence(found.spec)) return std::nullopt;
  return wanted;
}

Result<Rollout> back(Context& context, const FoundService& found, const std::string& word,
                     const std::optional<std::string>& to) {
  Rollout out = rollout_of(found, word);
  HIVE_ASSIGN(auto releases, release::read(*found.engine, found.service.id));
  release::note_found(releases, found.spec, 0);
  if (auto previous = swarms_previous(found, releases); previous && !to) {
    out.wanted = std::move(*previous);
    out.why = "rollback to what Swarm remembers as the version before";
  } else {
    HIVE_ASSIGN(const auto* release, release_to(releases, to, found.service.name));
    HIVE_ASSIGN(out.wanted, release::spec_of(*release, found.spec));
    out.why = "rollback to release " + std::to_string(release->number);
  }
  out.auth =
      auth_for_image(context.globals, json_string(out.wanted, "TaskTemplate.ContainerSpec.Image"));
  return out;
}

int roll_back(Context& context, const std::string& word, const std::optional<std::string>& to,
              const OperationWaitFlags& wait) {
  const auto found = find_with_spec(context, word);
  if (!found) return context.fail(found.error());
  const auto rollout = back(context, *found, word, to);
  if (!rollout) return context.fail(rollout.error());
  // Back is where people want to be soon: no canary, whatever the release's own x-hive says.
  return roll_out(context, *rollout, {.time = "0s"}, wait);
}

// --- forward

struct ServiceUpdateArgs {
  ServiceFlags flags;
  CanaryFlags canary;
  OperationWaitFlags wait;
  std::vector<std::string> words;
};

int update(Context& context, const ServiceUpdateArgs& args) {
  const std::string& word = args.words.front();
  if (args.flags.flag("--rollback")) return roll_back(context, word, std::nullopt, args.wait);
  const auto found = find_with_spec(context, word);
  if (!found) return context.fail(found.error());
  Rollout rollout = rollout_of(*found, word);
  const auto edited = edit_service_spec(args.flags, rollout.wanted);
  if (!edited) return context.fail(edited.error());
  if (const auto resolved = resolve_references(*found->engine, rollout.wanted); !resolved)
    return context.fail(resolved.error());
  if (const auto image = args.flags.value("--image")) {
    rollout.auth = auth_for_image(context.globals, *image);
    rollout.resolve = !args.flags.flag("--no-resolve-image");
  }
  rollout.replicas = args.flags.value("--replicas").has_value();
  rollout.why = why_of(args.flags);
  return roll_out(context, rollout, args.canary, args.wait);
}

}  // namespace

Command service_update_command() {
  return {.name = "update",
          .summary = "Change a service: watched, and taken back when the new version is bad",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<ServiceUpdateArgs>();
            declare_service_flags(declare, args->flags, false);
            declare_canary(declare, args->canary);
            declare_operation_wait(declare, args->wait);
            declare.one("SERVICE", &args->words, "Service", ValueKind::kService);
            return [args](Context& context) { return update(context, *args); };
          }};
}

Command service_rollback_command() {
  return {.name = "rollback",
          .summary = "Go back to an earlier release of a service",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<RollbackArgs>();
            declare.text("--to", "RELEASE", &args->to,
                         "Number of the release, as `service history` shows (default: the last one "
                         "before that served)");
            declare_operation_wait(declare, args->wait);
            declare.one("SERVICE", &args->words, "Service", ValueKind::kService);
            return [args](Context& context) {
              return roll_back(context, args->words.front(), args->to, args->wait);
            };
          }};
}

}  // namespace hive::cli
