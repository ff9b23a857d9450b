#include <algorithm>

#include "base/text.h"
#include "model/autoscale.h"
#include "stack/deploy.h"
#include "stack/present.h"

namespace hive::stack {

namespace {

constexpr int kObjectAttempts = 5;

class Applier {
 public:
  Applier(engine::Engine& engine, const Plan& plan, const ApplyOptions& options)
      : engine_(engine), plan_(plan), options_(options) {}

  Result<Outcome> run() {
    for (const auto& action : plan_.actions) {
      if (action.verb != Verb::kUnchanged && options_.on_action) options_.on_action(action);
      auto done = one(action);
      if (!done) {
        return annotate(done.error(), std::string(to_string(action.kind)) + " " + action.name);
      }
      count(action);
    }
    return std::move(outcome_);
  }

 private:
  void count(const Action& action) {
    switch (action.verb) {
      case Verb::kCreate:
        ++outcome_.created;
        break;
      case Verb::kUpdate:
        ++outcome_.updated;
        break;
      case Verb::kRemove:
        ++outcome_.removed;
        break;
      case Verb::kUnchanged:
        ++outcome_.unchanged;
        break;
    }
  }

  Status one(const Action& action) {
    switch (action.kind) {
      case Kind::kNetwork:
        return network(action);
      case Kind::kSecret:
        return secret(action);
      case Kind::kConfig:
        return config(action);
      case Kind::kService:
        return service(action);
    }
    return fail(Errc::kInternal, "unknown kind of action");
  }

  Status network(const Action& action) {
    if (action.verb != Verb::kCreate) return {};
    HIVE_TRY(engine_.create_network(action.spec));
    return {};
  }

  // Also when unchanged: its content cannot be read back, only the engine can compare it. Writing
  // the same content changes no task.
  Status secret(const Action& action) {
    if (action.verb == Verb::kCreate) {
      HIVE_TRY(engine_.create_secret(action.spec));
      return {};
    }
    return versioned(
        action,
        [&] {
          return engine_.list_secrets({{"name", {action.name}}});
        },
        [&](std::uint64_t version) {
          return engine_.update_secret(action.id, version, action.spec);
        });
  }

  Status config(const Action& action) {
    if (action.verb == Verb::kCreate) {
      HIVE_TRY(engine_.create_config(action.spec));
      return {};
    }
    if (action.verb != Verb::kUpdate) return {};
    return versioned(
        action,
        [&] {
          return engine_.list_configs({{"name", {action.name}}});
        },
        [&](std::uint64_t version) {
          return engine_.update_config(action.id, version, action.spec);
        });
  }

  template <typename List, typename Write>
  Status versioned(const Action& action, const List& list, const Write& write) {
    Status last;
    for (int attempt = 0; attempt < kObjectAttempts; ++attempt) {
      HIVE_ASSIGN(const auto objects, list());
      const auto found = std::find_if(objects.begin(), objects.end(), [&](const Json& object) {
        return json_string(object, "ID") == action.id;
      });
      if (found == objects.end()) {
        return fail(Errc::kConflict, "was removed meanwhile; run it again");
      }
      last = write(static_cast<std::uint64_t>(json_int(*found, "Version.Index")));
      if (last || last.error().code != Errc::kConflict) break;
    }
    if (!last && last.error().message.find("only updates to Labels") != std::string::npos) {
      return fail(Errc::kInvalidArgument,
                  changed_content(std::string(to_string(action.kind)), action.name));
    }
    return last;
  }

  Result<engine::ServiceWriteOptions> write_options(const Action& action) {
    engine::ServiceWriteOptions write;
    if (options_.auth) {
      const std::string image = json_string(action.spec, "TaskTemplate.ContainerSpec.Image");
      HIVE_ASSIGN(write.auth, options_.auth(image));
    }
    // Without credentials of our own, those that the service has stay.
    if (write.auth.empty() && action.verb == Verb::kUpdate) write.registry_auth_from = "spec";
    return write;
  }

  Result<Json> filled(const Action& action) {
    Json spec = action.spec;
    HIVE_ASSIGN(const ObjectIds ids, look_ids(engine_));
    const auto missing = fill_references(spec, ids);
    if (!missing.empty()) {
      return fail(Errc::kNotFound, join(missing, ", ") + " not there; run it again");
    }
    return spec;
  }

  Status service(const Action& action) {
    if (action.verb == Verb::kUnchanged) return {};
    if (action.verb == Verb::kRemove) {
      auto removed = engine_.remove_service(action.id);
      if (!removed && removed.error().code == Errc::kNotFound) return {};
      return removed;
    }
    HIVE_ASSIGN(const Json spec, filled(action));
    HIVE_ASSIGN(const auto write, write_options(action));
    if (action.verb == Verb::kCreate) {
      HIVE_ASSIGN(auto result, engine_.create_service(spec, write));
      keep_warnings(action.name, result.warnings);
      return {};
    }
    HIVE_ASSIGN(auto result,
                engine::modify_service(
                    engine_, action.id, [&](Json& present) { return merge(action, spec, present); },
                    write));
    keep_warnings(action.name, result.warnings);
    return {};
  }

  // The file's spec wins, except what it has no word for: forced updates so far, the engine's
  // platforms, and an autoscaled service's number at this moment.
  static Result<bool> merge(const Action& action, Json spec, Json& present) {
    spec["TaskTemplate"]["ForceUpdate"] = json_int(present, "TaskTemplate.ForceUpdate");
    if (action.keep_image) {
      if (const Json* platforms = json_path(present, "TaskTemplate.Placement.Platforms")) {
        spec["TaskTemplate"]["Placement"]["Platforms"] = *platforms;
      }
    }
    const Json* replicas = json_path(present, "Mode.Replicated.Replicas");
    if (action.keep_replicas && replicas != nullptr && replicas->is_number_unsigned()) {
      spec["Mode"]["Replicated"]["Replicas"] =
          std::clamp(replicas->get<std::uint64_t>(), action.min_replicas,
                     std::max(action.min_replicas, action.max_replicas));
    }
    if (action.keep_replicas) keep_pause(present, spec);
    present = std::move(spec);
    return true;
  }

  // What a person did to an autoscaled service holds, and the lifting of it too.
  static void keep_pause(const Json& present, Json& spec) {
    const Json* labels = json_member(present, "Labels");
    const Json* paused =
        labels == nullptr ? nullptr : json_member(*labels, model::kAutoscalePausedLabel);
    if (paused != nullptr)
      spec["Labels"][model::kAutoscalePausedLabel] = *paused;
    else if (spec.contains("Labels"))
      spec["Labels"].erase(model::kAutoscalePausedLabel);
  }

  void keep_warnings(const std::string& name, const std::vector<std::string>& warnings) {
    for (const auto& warning : warnings) outcome_.warnings.push_back(name + ": " + warning);
  }

  engine::Engine& engine_;
  const Plan& plan_;
  const ApplyOptions& options_;
  Outcome outcome_;
};

}  // namespace

Result<Outcome> apply(engine::Engine& engine, const Plan& plan, const ApplyOptions& options) {
  return Applier(engine, plan, options).run();
}

}  // namespace hive::stack
