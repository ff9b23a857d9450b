// What agents' reports of one world say of tasks and nodes, for rules under decide/. Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/operation.h"
#include "decide/placement/slots.h"

namespace hive::controller {

decide::placement::Facts facts_of(const World& world);
// Likewise without the requests in flight: every edge counts those of every task, so that they are
// most of the work.
decide::placement::Facts conditions_of(const World& world);

// A report's list of task ids (not_ready, leaving) has it.
bool lists_task(const std::vector<std::string>& task_ids, const std::string& task_id);

// Host name, or the id when it is not known.
std::string node_name(const model::Snapshot& snapshot, const std::string& node_id);

// A label of its spec; empty when it has none of that name.
std::string label_of(const model::Service& service, const char* name);

// Swarm's own updater is at work: a write of the service now would cancel what it does.
bool updating(const model::Service& service);

// By id, name, or a stack's short name where one service alone has it. kNotFound.
Result<const model::Service*> service_named(const World& world, const std::string& word);
Result<const model::Node*> node_named(const World& world, const std::string& word);

}  // namespace hive::controller
