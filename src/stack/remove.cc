#include "base/text.h"
#include "stack/deploy.h"
#include "stack/present.h"

namespace hive::stack {

namespace {

struct Failures {
  std::optional<Errc> code;
  std::vector<std::string> lines;
  void note(const std::string& what, const Error& error) {
    if (!code) code = error.code;
    lines.push_back(what + ": " + error.message);
  }
};

}  // namespace

Result<std::vector<std::string>> remove_stack(
    engine::Engine& engine, const std::string& stack,
    const std::function<void(const std::string&)>& on_removing) {
  const auto filter = stack_filter(stack);
  HIVE_ASSIGN(const auto services, engine.list_services_json(filter));
  HIVE_ASSIGN(const auto secrets, engine.list_secrets(filter));
  HIVE_ASSIGN(const auto configs, engine.list_configs(filter));
  HIVE_ASSIGN(const auto networks, engine.list_networks(filter));
  if (services.empty() && secrets.empty() && configs.empty() && networks.empty()) {
    return fail(Errc::kNotFound, "nothing found in stack: " + stack);
  }
  std::vector<std::string> removed;
  Failures failures;
  const auto each = [&](const std::vector<Json>& objects, const std::string& kind,
                        const char* name_path, const char* id_key, const auto& remove) {
    for (const auto& object : objects) {
      const std::string what = kind + " " + json_string(object, name_path);
      if (on_removing) on_removing(what);
      const Status done = remove(json_string(object, id_key));
      if (done || done.error().code == Errc::kNotFound) {
        removed.push_back(what);
      } else {
        failures.note(what, done.error());
      }
    }
  };
  each(services, "service", "Spec.Name", "ID",
       [&](const std::string& id) { return engine.remove_service(id); });
  each(secrets, "secret", "Spec.Name", "ID",
       [&](const std::string& id) { return engine.remove_secret(id); });
  each(configs, "config", "Spec.Name", "ID",
       [&](const std::string& id) { return engine.remove_config(id); });
  each(networks, "network", "Name", "Id",
       [&](const std::string& id) { return engine.remove_network(id); });
  if (failures.code) {
    return fail(*failures.code, "stack " + stack + " is removed only in part; " +
                                    join(failures.lines, "; ") + "; run it again");
  }
  return removed;
}

Result<std::map<std::string, std::size_t>> list_stacks(engine::Engine& engine) {
  HIVE_ASSIGN(const auto services, engine.list_services({{"label", {kNamespaceLabel}}}));
  std::map<std::string, std::size_t> stacks;
  for (const auto& service : services) {
    const auto label = service.labels.find(kNamespaceLabel);
    if (label != service.labels.end()) ++stacks[label->second];
  }
  return stacks;
}

}  // namespace hive::stack
