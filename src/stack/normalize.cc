// Comparing a service's spec as hive would write it with the one that the engine gives back: the
// engine drops what is empty, names what was default, and turns network names into ids.
// Source: moby 20.10, daemon/cluster/convert.
#include <algorithm>

#include "stack/plan.h"

namespace hive::stack {

namespace {

// Where absent and zero mean different things.
bool zero_matters(const std::string& key) {
  return key == "Init" || key == "Replicas" || key == "StopGracePeriod" || key == "Parallelism" ||
         key == "Global" || key == "Replicated";
}

bool is_default(const std::string& key, const Json& value) {
  if (!value.is_string()) return false;
  const auto& word = value.get_ref<const std::string&>();
  return (key == "Runtime" && word == "container") || (key == "Isolation" && word == "default") ||
         (key == "FailureAction" && word == "pause") || (key == "Order" && word == "stop-first") ||
         (key == "Condition" && word == "any") || (key == "Mode" && word == "vip") ||
         (key == "Protocol" && word == "tcp") || (key == "PublishMode" && word == "ingress") ||
         (key == "Propagation" && word == "rprivate") ||
         key == "Consistency"  // never stored by the engine
      ;
}

bool is_empty(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.empty();
}

// Maps whose keys and values are the user's: an empty value is a value there.
bool is_user_map(const std::string& key) {
  return key == "Labels" || key == "Options" || key == "Sysctls";
}

void prune(Json& value) {
  if (value.is_array()) {
    for (auto& element : value) prune(element);
    return;
  }
  if (!value.is_object()) return;
  for (auto it = value.begin(); it != value.end();) {
    if (!is_user_map(it.key())) prune(*it);
    const bool drop =
        is_default(it.key(), *it) || (is_empty(*it) && !zero_matters(it.key())) || it->is_null();
    it = drop ? value.erase(it) : std::next(it);
  }
}

void sort_by_text(Json& list) {
  std::sort(list.begin(), list.end(),
            [](const Json& a, const Json& b) { return a.dump() < b.dump(); });
}

void name_networks(Json& task, const std::map<std::string, std::string>& networks) {
  if (!task.contains("Networks") || !task["Networks"].is_array()) return;
  for (auto& network : task["Networks"]) {
    const auto found = networks.find(json_string(network, "Target"));
    if (found != networks.end()) network["Target"] = found->second;
  }
  sort_by_text(task["Networks"]);
}

void collect(const Json& a, const Json& b, const std::string& path, std::size_t limit,
             std::vector<std::string>& out) {
  if (out.size() >= limit || a == b) return;
  if (!a.is_object() || !b.is_object()) {
    out.push_back(path);
    return;
  }
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& [key, value] : a.items()) {
    collect(value, b.contains(key) ? b[key] : Json(), below(key), limit, out);
  }
  for (const auto& [key, value] : b.items()) {
    if (!a.contains(key)) collect(Json(), value, below(key), limit, out);
  }
}

}  // namespace

Json normalized(Json spec, const std::map<std::string, std::string>& networks) {
  if (!spec.is_object()) return spec;
  if (spec.contains("TaskTemplate") && spec["TaskTemplate"].is_object()) {
    Json& task = spec["TaskTemplate"];
    name_networks(task, networks);
    task.erase("ForceUpdate");
    if (task.contains("Placement") && task["Placement"].is_object()) {
      task["Placement"].erase("Platforms");  // the engine's, from the image
    }
    if (task.contains("ContainerSpec") && task["ContainerSpec"].is_object()) {
      Json& container = task["ContainerSpec"];
      if (container.contains("Env") && container["Env"].is_array()) sort_by_text(container["Env"]);
    }
  }
  if (Json* mode = spec.contains("Mode") ? &spec["Mode"] : nullptr;
      mode != nullptr && mode->contains("Replicated") &&
      !(*mode)["Replicated"].contains("Replicas")) {
    (*mode)["Replicated"]["Replicas"] = 1;
  }
  // Who wrote last (hive's rollouts), not what.
  if (spec.contains("Labels") && spec["Labels"].is_object()) spec["Labels"].erase("hive.rollout");
  prune(spec);
  if (spec.contains("EndpointSpec") && spec["EndpointSpec"].contains("Ports")) {
    sort_by_text(spec["EndpointSpec"]["Ports"]);
  }
  return spec;
}

std::vector<std::string> differing_paths(const Json& a, const Json& b, std::size_t limit) {
  std::vector<std::string> paths;
  collect(a, b, "", limit, paths);
  return paths;
}

}  // namespace hive::stack
