#include "controller/world_facts.h"

#include <algorithm>

namespace hive::controller {
namespace {

using decide::placement::Facts;
using decide::placement::TaskFacts;

void add_container(Facts& facts, const agent::ContainerReport& container) {
  TaskFacts& fact = facts[container.task_id];
  const std::string& init = container.init;
  const bool stops = init == "held" || init == "claimed" || init == "stopping" ||
                     init == "flushing" || init == "gone";
  fact.held = init == "armed" || stops;
  if (container.health == "unhealthy" || container.state == "exited" || container.state == "dead")
    fact.healthy = false;
  if (stops) fact.leaving = true;
}

}  // namespace

Facts conditions_of(const World& world) {
  Facts facts;
  for (const auto& [node, report] : world.reports) {
    for (const auto& container : report.containers) add_container(facts, container);
    for (const auto& task : report.not_ready) facts[task].healthy = false;
    for (const auto& task : report.leaving) facts[task].leaving = true;
  }
  return facts;
}

Facts facts_of(const World& world) {
  Facts facts = conditions_of(world);
  for (const auto& [node, report] : world.reports) {
    for (const auto& stats : report.stats) {
      TaskFacts& fact = facts[stats.task_id];
      fact.in_flight = fact.in_flight.value_or(0) + stats.in_flight + stats.queued;
    }
  }
  return facts;
}

bool lists_task(const std::vector<std::string>& task_ids, const std::string& task_id) {
  return std::find(task_ids.begin(), task_ids.end(), task_id) != task_ids.end();
}

std::string node_name(const model::Snapshot& snapshot, const std::string& node_id) {
  const auto node = snapshot.nodes.find(node_id);
  return node == snapshot.nodes.end() ? node_id : node->second.hostname;
}

std::string label_of(const model::Service& service, const char* name) {
  const auto label = service.labels.find(name);
  return label == service.labels.end() ? std::string() : label->second;
}

bool updating(const model::Service& service) {
  return service.update_state == "updating" || service.update_state == "rollback_started";
}

Result<const model::Service*> service_named(const World& world, const std::string& word) {
  const model::Service* found = nullptr;
  for (const auto& [id, service] : world.snapshot.services) {
    if (id == word || service.name == word) return &service;
    if (!service.name.ends_with("_" + word)) continue;
    if (found != nullptr)
      return fail(Errc::kInvalidArgument, "'" + word + "' may be " + found->name + " or " +
                                              service.name + "; name it whole");
    found = &service;
  }
  if (found == nullptr || word.empty())
    return fail(Errc::kNotFound, "there is no service '" + word + "'");
  return found;
}

Result<const model::Node*> node_named(const World& world, const std::string& word) {
  const model::Node* found = nullptr;
  for (const auto& [id, node] : world.snapshot.nodes) {
    if (id == word) return &node;
    if (node.hostname != word) continue;
    if (found != nullptr)
      return fail(Errc::kInvalidArgument,
                  "several nodes are called '" + word + "'; name one by its id");
    found = &node;
  }
  if (found == nullptr) return fail(Errc::kNotFound, "there is no node '" + word + "'");
  return found;
}

}  // namespace hive::controller
