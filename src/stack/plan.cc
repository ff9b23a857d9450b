#include "stack/plan.h"

#include <algorithm>

#include "base/text.h"
#include "model/autoscale.h"
#include "stack/present.h"

namespace hive::stack {

namespace {

// The planning of one stack: what the file wants, what is there, and the list that grows.
class Planner {
 public:
  Planner(engine::Engine& engine, const config::Spec& spec, const DeployOptions& options)
      : engine_(engine), spec_(spec), options_(options) {}

  Result<Plan> run() {
    plan_.stack = options_.stack;
    HIVE_ASSIGN(wanted_, convert(spec_, {options_.stack, options_.read_file}));
    plan_.differences = apply_differences(spec_, options_.traits, wanted_);
    HIVE_ASSIGN(present_, look(engine_, options_.stack));
    HIVE_TRY(check_external());
    if (options_.prune) plan_prune();
    plan_networks();
    plan_secrets();
    HIVE_TRY(plan_configs());
    for (auto& object : wanted_.services) HIVE_TRY(plan_service(object));
    return std::move(plan_);
  }

 private:
  void add(Verb verb, Kind kind, const std::string& name, const std::string& id, std::string reason,
           Json spec = nullptr) {
    Action action;
    action.verb = verb;
    action.kind = kind;
    action.name = name;
    action.id = id;
    action.reason = std::move(reason);
    action.spec = std::move(spec);
    plan_.actions.push_back(std::move(action));
  }

  Status check_external() {
    for (const auto& name : wanted_.external_networks) {
      if (name == "host" || name == "bridge" || name == "none") continue;  // on every node
      const auto found = present_.network_scopes.find(name);
      if (found == present_.network_scopes.end()) {
        return fail(Errc::kFailedPrecondition,
                    "network \"" + name +
                        "\" is external and not there; create it first: docker "
                        "network create --driver overlay " +
                        name);
      }
      if (found->second != "swarm") {
        return fail(Errc::kFailedPrecondition, "network \"" + name +
                                                   "\" is external but of scope " + found->second +
                                                   "; it must be of scope swarm");
      }
    }
    HIVE_TRY(check_objects("secret", spec_.secrets, present_.secrets));
    return check_objects("config", spec_.configs, present_.configs);
  }

  static Status check_objects(const std::string& kind,
                              const std::map<std::string, config::FileObject>& objects,
                              const std::map<std::string, Json>& present) {
    for (const auto& [key, object] : objects) {
      const std::string& name = object.name.empty() ? key : object.name;
      if (object.external && !present.contains(name)) {
        return fail(Errc::kNotFound, kind + " \"" + name +
                                         "\" is external and not there; create "
                                         "it first: docker " +
                                         kind + " create " + name + " FILE");
      }
    }
    return {};
  }

  void plan_prune() {
    for (const auto& [name, service] : present_.services) {
      const bool kept =
          std::any_of(wanted_.services.begin(), wanted_.services.end(),
                      [&name = name](const Object& object) { return object.name == name; });
      if (!kept) {
        add(Verb::kRemove, Kind::kService, name, json_string(service, "ID"),
            "no longer in the file");
      }
    }
  }

  void plan_networks() {
    for (auto& object : wanted_.networks) {
      const auto found = present_.stack_networks.find(object.name);
      if (found == present_.stack_networks.end()) {
        add(Verb::kCreate, Kind::kNetwork, object.name, "", "not there yet", object.spec);
      } else {
        add(Verb::kUnchanged, Kind::kNetwork, object.name, found->second, "is there");
      }
    }
  }

  void plan_secrets() {
    for (auto& object : wanted_.secrets) {
      const auto found = present_.secrets.find(object.name);
      if (found == present_.secrets.end()) {
        add(Verb::kCreate, Kind::kSecret, object.name, "", "not there yet", object.spec);
        continue;
      }
      const bool same = same_labels(found->second, object.spec);
      add(same ? Verb::kUnchanged : Verb::kUpdate, Kind::kSecret, object.name,
          json_string(found->second, "ID"),
          same ? "is there; the engine compares its content" : "labels differ", object.spec);
    }
  }

  Status plan_configs() {
    for (auto& object : wanted_.configs) {
      const auto found = present_.configs.find(object.name);
      if (found == present_.configs.end()) {
        add(Verb::kCreate, Kind::kConfig, object.name, "", "not there yet", object.spec);
        continue;
      }
      if (json_string(found->second, "Spec.Data") != json_string(object.spec, "Data")) {
        return fail(Errc::kInvalidArgument, changed_content("config", object.name));
      }
      const bool same = same_labels(found->second, object.spec);
      add(same ? Verb::kUnchanged : Verb::kUpdate, Kind::kConfig, object.name,
          json_string(found->second, "ID"), same ? "is there" : "labels differ", object.spec);
    }
    return {};
  }

  static bool same_labels(const Json& present, const Json& wanted) {
    const Json* labels = json_path(present, "Spec.Labels");
    return (labels == nullptr ? Json::object() : *labels) == wanted["Labels"];
  }

  Status plan_service(Object& object) {
    fill_references(object.spec, present_.ids());
    const auto found = present_.services.find(object.name);
    const Json* old = found == present_.services.end() ? nullptr : &found->second;
    Action action;
    action.kind = Kind::kService;
    action.name = object.name;
    const Json* old_spec = old == nullptr ? nullptr : json_member(*old, "Spec");
    set_image(object.spec, old_spec, action);
    if (old == nullptr || old_spec == nullptr) {
      action.verb = Verb::kCreate;
      action.reason = "not there yet";
    } else {
      action.id = json_string(*old, "ID");
      keep_replicas(object, *old_spec, action);
      compare(object.spec, *old_spec, action);
    }
    action.spec = std::move(object.spec);
    plan_.actions.push_back(std::move(action));
    return {};
  }

  void compare(Json& wanted, const Json& old, Action& action) const {
    const Json mine = normalized(wanted, present_.network_names);
    const Json theirs = normalized(old, present_.network_names);
    const auto paths = differing_paths(theirs, mine);
    action.verb = paths.empty() ? Verb::kUnchanged : Verb::kUpdate;
    action.reason = paths.empty() ? "as in the file" : "differs in " + join(paths, ", ");
  }

  // Autoscaled: the number is the autoscaler's, within the file's bounds.
  void keep_replicas(const Object& object, const Json& old, Action& action) const {
    const auto service = spec_.services.find(object.key);
    if (service == spec_.services.end() || !service->second.hive) return;
    const auto& autoscale = service->second.hive->autoscale;
    if (!autoscale) return;
    action.keep_replicas = true;
    action.min_replicas = autoscale->min;
    action.max_replicas = autoscale->max;
    auto& spec = const_cast<Object&>(object).spec;
    const Json* labels = json_member(old, "Labels");
    const Json* paused =
        labels == nullptr ? nullptr : json_member(*labels, model::kAutoscalePausedLabel);
    if (paused != nullptr) spec["Labels"][model::kAutoscalePausedLabel] = *paused;
    const Json* replicas = json_path(old, "Mode.Replicated.Replicas");
    if (replicas == nullptr || !replicas->is_number_unsigned()) return;
    spec["Mode"]["Replicated"]["Replicas"] = std::clamp(
        replicas->get<std::uint64_t>(), autoscale->min, std::max(autoscale->min, autoscale->max));
  }

  void set_image(Json& wanted, const Json* old, Action& action) {
    Json& image = wanted["TaskTemplate"]["ContainerSpec"]["Image"];
    const std::string reference = image.get<std::string>();
    if (reference.find('@') != std::string::npos) return;  // pinned by the file
    std::string present;
    bool same = false;
    if (old != nullptr) {
      present = json_string(*old, "TaskTemplate.ContainerSpec.Image");
      const Json* labels = json_member(*old, "Labels");
      same = labels != nullptr && json_member(*labels, kImageLabel) != nullptr &&
             *json_member(*labels, kImageLabel) == wanted["Labels"][kImageLabel];
    }
    const bool ask = options_.resolve_image == ResolveImage::kAlways ||
                     (options_.resolve_image == ResolveImage::kChanged && !same);
    if (ask && options_.resolve) {
      auto digest = options_.resolve(reference);
      if (digest) {
        image = reference + "@" + *digest;
        return;
      }
      plan_.warnings.push_back("image " + reference + " of " + json_string(wanted, "Name") +
                               " is not pinned to a digest: " + digest.error().message);
    }
    if (same && !present.empty()) {
      image = present;
      action.keep_image = true;
    }
  }

  engine::Engine& engine_;
  const config::Spec& spec_;
  const DeployOptions& options_;
  Conversion wanted_;
  Present present_;
  Plan plan_;
};

}  // namespace

bool Plan::changes_nothing() const {
  return std::all_of(actions.begin(), actions.end(),
                     [](const Action& action) { return action.verb == Verb::kUnchanged; });
}

Result<Plan> make_plan(engine::Engine& engine, const config::Spec& spec,
                       const DeployOptions& options) {
  return Planner(engine, spec, options).run();
}

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::kCreate:
      return "create";
    case Verb::kUpdate:
      return "update";
    case Verb::kUnchanged:
      return "unchanged";
    case Verb::kRemove:
      return "remove";
  }
  return "unchanged";
}

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kNetwork:
      return "network";
    case Kind::kSecret:
      return "secret";
    case Kind::kConfig:
      return "config";
    case Kind::kService:
      return "service";
  }
  return "service";
}

std::string render(const Plan& plan) {
  std::string text;
  for (const auto& action : plan.actions) {
    std::string verb(to_string(action.verb));
    std::string kind(to_string(action.kind));
    verb.resize(std::max<std::size_t>(verb.size(), 10), ' ');
    kind.resize(std::max<std::size_t>(kind.size(), 8), ' ');
    text += verb + kind + action.name + "  (" + action.reason + ")\n";
  }
  return text;
}

}  // namespace hive::stack
