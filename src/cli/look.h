// One look at the cluster for a command's tables, and the names that people give things.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/listing.h"
#include "engine/engine.h"
#include "model/cluster.h"

namespace hive::cli {

// Who told a task to stop, and why.
struct StopWords {
  std::string by;
  std::string reason;
};

struct Look {
  std::map<std::string, model::Node> nodes;        // by id
  std::map<std::string, model::Service> services;  // by id
  std::vector<model::Task> tasks;
  std::map<std::string, StopWords> stops;  // by task; see stopped.h
};
// Nodes and services whole, tasks that match the filters.
Result<Look> look_at(engine::Engine& engine, const engine::Filters& task_filters = {});

// The node, service, task that a person means: id, name, or an id's unambiguous beginning ("self"
// is the engine's own node). kNotFound says what is near; kInvalidArgument when ambiguous.
Result<model::Node> find_node(engine::Engine& engine, const std::string& word);
Result<model::Service> find_service(engine::Engine& engine, const std::string& word);

// "web.3", or "agent.NODEID" for a global service's.
std::string task_name(const Look& look, const model::Task& task);
std::string image_for_people(const std::string& image, bool no_trunc);
// "Running 3 minutes ago". `stopped`: it was told to end, and did.
std::string state_for_people(const model::Task& task, const Clock& clock, bool stopped = false);
std::string capitalized(std::string_view word);

// Ports of `hive.listeners` and of the endpoint spec: "*:8080->8080/tcp".
std::string ports_for_people(const model::Service& service);

// docker's `service ps` table; newest first within a slot, older ones marked " \_ ".
int print_tasks(Context& context, const ListOptions& options, const Look& look);
Json task_json(const Look& look, const model::Task& task);

}  // namespace hive::cli
