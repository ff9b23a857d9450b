#include "stack/present.h"

namespace hive::stack {

namespace {

std::map<std::string, Json> by_name(std::vector<Json> objects) {
  std::map<std::string, Json> result;
  for (auto& object : objects) {
    std::string name = json_string(object, "Spec.Name");
    result[std::move(name)] = std::move(object);
  }
  return result;
}

std::map<std::string, std::string> id_by_name(const std::map<std::string, Json>& objects) {
  std::map<std::string, std::string> result;
  for (const auto& [name, object] : objects) result[name] = json_string(object, "ID");
  return result;
}

// Swarm's own host and bridge are in no list: they are asked for by the id that a service has.
Status name_predefined(engine::Engine& engine, Present& present) {
  for (const auto& [name, service] : present.services) {
    const Json* attachments = json_path(service, "Spec.TaskTemplate.Networks");
    if (attachments == nullptr || !attachments->is_array()) continue;
    for (const auto& attachment : *attachments) {
      const std::string id = json_string(attachment, "Target");
      if (id.empty() || present.network_names.contains(id)) continue;
      const auto network = engine.inspect_network(id);
      if (network)
        present.network_names[id] = json_string(*network, "Name");
      else if (network.error().code != Errc::kNotFound)
        return tl::unexpected(network.error());
    }
  }
  return {};
}

}  // namespace

ObjectIds Present::ids() const { return {id_by_name(secrets), id_by_name(configs)}; }

engine::Filters stack_filter(const std::string& stack) {
  return {{"label", {std::string(kNamespaceLabel) + "=" + stack}}};
}

Result<Present> look(engine::Engine& engine, const std::string& stack) {
  Present present;
  HIVE_ASSIGN(auto services, engine.list_services_json(stack_filter(stack)));
  present.services = by_name(std::move(services));
  HIVE_ASSIGN(auto secrets, engine.list_secrets());
  present.secrets = by_name(std::move(secrets));
  HIVE_ASSIGN(auto configs, engine.list_configs());
  present.configs = by_name(std::move(configs));
  HIVE_ASSIGN(auto networks, engine.list_networks());
  for (const auto& network : networks) {
    const std::string name = json_string(network, "Name");
    const std::string id = json_string(network, "Id");
    const std::string scope = json_string(network, "Scope");
    present.network_names[id] = name;
    if (present.network_scopes[name] != "swarm") present.network_scopes[name] = scope;
    const Json* labels = json_member(network, "Labels");
    const Json* label = labels == nullptr ? nullptr : json_member(*labels, kNamespaceLabel);
    if (label != nullptr && *label == stack) present.stack_networks[name] = id;
  }
  HIVE_TRY(name_predefined(engine, present));
  return present;
}

Result<ObjectIds> look_ids(engine::Engine& engine) {
  Present present;
  HIVE_ASSIGN(auto secrets, engine.list_secrets());
  present.secrets = by_name(std::move(secrets));
  HIVE_ASSIGN(auto configs, engine.list_configs());
  present.configs = by_name(std::move(configs));
  return present.ids();
}

std::string changed_content(const std::string& kind, const std::string& name) {
  return kind + " " + name +
         " is there with another content, and Swarm cannot change it; give it "
         "a new name in the file (name: " +
         name + "-2), and services are moved to it";
}

}  // namespace hive::stack
