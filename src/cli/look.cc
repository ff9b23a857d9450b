#include "cli/look.h"

#include <algorithm>

#include "base/text.h"
#include "cli/context.h"
#include "cli/natural.h"

namespace hive::cli {
namespace {

template <typename Thing, typename Name>
Result<Thing> pick(std::vector<Thing> things, const std::string& word, const std::string& kind,
                   const Name& name) {
  std::vector<std::string> names;
  const Thing* found = nullptr;
  int prefixes = 0;
  for (const auto& thing : things) {
    if (thing.id == word || name(thing) == word) return thing;
    names.push_back(name(thing));
    if (!word.empty() && thing.id.starts_with(word)) {
      found = &thing;
      ++prefixes;
    }
  }
  if (prefixes == 1) return *found;
  if (prefixes > 1)
    return fail(Errc::kInvalidArgument, kind + " '" + word + "' is ambiguous: " +
                                            std::to_string(prefixes) + " ids begin with it");
  std::string message = "there is no " + kind + " '" + word + "'";
  if (const auto near = did_you_mean(word, names)) message += ": did you mean '" + *near + "'?";
  return fail(Errc::kNotFound, message);
}

// Two nodes of one host name (a stale one beside its successor): the live one is meant.
Result<model::Node> pick_node(std::vector<model::Node> nodes, const std::string& word) {
  std::stable_sort(nodes.begin(), nodes.end(), [](const model::Node& a, const model::Node& b) {
    return (a.state == model::NodeState::kReady) > (b.state == model::NodeState::kReady);
  });
  return pick(std::move(nodes), word, "node",
              [](const model::Node& node) { return node.hostname; });
}

}  // namespace

Result<Look> look_at(engine::Engine& engine, const engine::Filters& task_filters) {
  Look look;
  HIVE_ASSIGN(auto nodes, engine.list_nodes());
  HIVE_ASSIGN(auto services, engine.list_services());
  HIVE_ASSIGN(look.tasks, engine.list_tasks(task_filters));
  for (auto& node : nodes) look.nodes.emplace(node.id, std::move(node));
  for (auto& service : services) look.services.emplace(service.id, std::move(service));
  return look;
}

Result<model::Node> find_node(engine::Engine& engine, const std::string& word) {
  HIVE_ASSIGN(auto nodes, engine.list_nodes());
  if (word == "self") {
    HIVE_ASSIGN(const auto info, engine.info());
    return pick_node(std::move(nodes), json_string(info, "Swarm.NodeID"));
  }
  return pick_node(std::move(nodes), word);
}

namespace {

// ": did you mean ...?" of the services' names, with and without their stack's.
std::string nearest(const std::vector<model::Service>& services, const std::string& word) {
  std::vector<std::string> names;
  for (const auto& service : services) {
    names.push_back(service.name);
    const auto stack = service.labels.find("com.docker.stack.namespace");
    if (stack != service.labels.end() && service.name.starts_with(stack->second + "_"))
      names.push_back(service.name.substr(stack->second.size() + 1));
  }
  const auto near = did_you_mean(word, names);
  return near ? ": did you mean '" + *near + "'?" : "";
}

}  // namespace

Result<model::Service> find_service(engine::Engine& engine, const std::string& word) {
  HIVE_ASSIGN(auto services, engine.list_services());
  // A service of a stack answers to its name in the Compose file too, when only one has it.
  const model::Service* short_named = nullptr;
  int matches = 0;
  for (const auto& service : services) {
    const auto label = service.labels.find("com.docker.stack.namespace");
    if (label == service.labels.end() || service.name != label->second + "_" + word) continue;
    short_named = &service;
    ++matches;
  }
  const bool exact = std::any_of(services.begin(), services.end(), [&](const auto& service) {
    return service.name == word || service.id == word;
  });
  if (!exact && matches == 1) return *short_named;
  auto found =
      pick(services, word, "service", [](const model::Service& service) { return service.name; });
  if (found || found.error().code != Errc::kNotFound) return found;
  return fail(Errc::kNotFound, "there is no service '" + word + "'" + nearest(services, word));
}

std::string task_name(const Look& look, const model::Task& task) {
  const auto service = look.services.find(task.service_id);
  const std::string name = service == look.services.end() ? task.service_id : service->second.name;
  return name + "." + (task.slot > 0 ? std::to_string(task.slot) : task.node_id);
}

std::string image_for_people(const std::string& image, bool no_trunc) {
  if (no_trunc) return image;
  return image.substr(0, image.find("@sha256:"));
}

std::string capitalized(std::string_view word) {
  std::string text(word);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

std::string state_for_people(const model::Task& task, const Clock& clock, bool stopped) {
  const auto now = std::chrono::duration_cast<Milliseconds>(clock.wall_now().time_since_epoch());
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(
      now - Milliseconds(task.state_since_unix_ms));
  std::string ago = format_age(std::max(age, std::chrono::seconds(0)));
  if (!ago.empty() && ago[0] >= 'A' && ago[0] <= 'Z') ago[0] = static_cast<char>(ago[0] + 32);
  if (!ago.ends_with(" ago")) ago += " ago";
  return (stopped ? "Stopped" : capitalized(model::to_string(task.state))) + " " + ago;
}

std::string ports_for_people(const model::Service& service) {
  std::vector<std::string> parts;
  if (const auto label = service.labels.find("hive.listeners"); label != service.labels.end()) {
    if (const auto listeners = parse_json(label->second, "hive.listeners");
        listeners && listeners->is_array()) {
      for (const auto& listener : *listeners)
        parts.push_back("*:" + std::to_string(json_int(listener, "port")) + "->" +
                        std::to_string(json_int(listener, "target")) + "/" +
                        json_string(listener, "protocol", "tcp"));
    }
  }
  for (const auto& port : service.ports) {
    if (port.published == 0 || port.mode != model::PublishMode::kIngress) continue;
    parts.push_back("*:" + std::to_string(port.published) + "->" + std::to_string(port.target) +
                    "/" + port.protocol);
  }
  return join(parts, ", ");
}

Json task_json(const Look& look, const model::Task& task) {
  const auto node = look.nodes.find(task.node_id);
  const auto service = look.services.find(task.service_id);
  Json ports = Json::array();
  for (const auto& port : task.ports)
    ports.push_back(
        {{"target", port.target}, {"published", port.published}, {"protocol", port.protocol}});
  Json out{{"id", task.id},
           {"name", task_name(look, task)},
           {"service", service == look.services.end() ? "" : service->second.name},
           {"slot", task.slot},
           {"image", task.image},
           {"node", node == look.nodes.end() ? "" : node->second.hostname},
           {"node_id", task.node_id},
           {"desired_state", model::to_string(task.desired)},
           {"state", model::to_string(task.state)},
           {"state_since_unix_ms", task.state_since_unix_ms},
           {"message", task.message},
           {"error", task.error},
           {"exit_code", task.exit_code},
           {"container_id", task.container_id},
           {"ports", ports}};
  if (const auto stop = look.stops.find(task.id); stop != look.stops.end())
    out["stopped"] = {{"by", stop->second.by}, {"reason", stop->second.reason}};
  return out;
}

int print_tasks(Context& context, const ListOptions& options, const Look& look) {
  std::vector<std::pair<std::string, const model::Task*>> tasks;
  const Look named = options.no_resolve ? Look{} : look;  // what is not in it goes by its id
  for (const auto& task : look.tasks) tasks.emplace_back(task_name(named, task), &task);
  // As docker: the tasks of a slot together, the newest first, since older ones are set in.
  std::stable_sort(tasks.begin(), tasks.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first) return natural_less(a.first, b.first);
    return a.second->created_unix_ms > b.second->created_unix_ms;
  });
  std::vector<Row> rows;
  std::string previous;
  for (const auto& [name, task] : tasks) {
    const auto node = named.nodes.find(task->node_id);
    std::vector<std::string> ports;
    for (const auto& port : task->ports)
      ports.push_back("*:" + std::to_string(port.published) + "->" + std::to_string(port.target) +
                      "/" + port.protocol);
    // It ended as it was told to: no failure, whatever its exit code is.
    const bool stopped = task->state == model::TaskState::kFailed &&
                         look.stops.contains(task->id) && !found_unhealthy(*task);
    const std::string error = task->error.empty() || stopped ? "" : "\"" + task->error + "\"";
    rows.push_back({short_id(task->id, options.no_trunc),
                    {short_id(task->id, options.no_trunc), (name == previous ? " \\_ " : "") + name,
                     image_for_people(task->image, options.no_trunc),
                     node == named.nodes.end() ? task->node_id : node->second.hostname,
                     capitalized(model::to_string(task->desired)),
                     state_for_people(*task, context.clock, stopped),
                     shorten(error, 30, options.no_trunc), join(ports, ",")},
                    task_json(look, *task)});
    previous = name;
  }
  return print_listing(
      context, options,
      {"ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE", "ERROR", "PORTS"}, rows);
}

}  // namespace hive::cli
