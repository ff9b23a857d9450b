// What a swarm holds of a stack, read once for a plan.
#pragma once

#include <map>
#include <string>

#include "engine/engine.h"
#include "stack/convert.h"

namespace hive::stack {

struct Present {
  std::map<std::string, Json> services;               // by name, those of the stack
  std::map<std::string, Json> secrets;                // by name, all of the swarm
  std::map<std::string, Json> configs;                // by name, all of the swarm
  std::map<std::string, std::string> stack_networks;  // name to id, those of the stack
  std::map<std::string, std::string> network_scopes;  // name to scope, all; "swarm" wins
  std::map<std::string, std::string> network_names;   // id to name, all
  ObjectIds ids() const;
};

Result<Present> look(engine::Engine& engine, const std::string& stack);
Result<ObjectIds> look_ids(engine::Engine& engine);

engine::Filters stack_filter(const std::string& stack);
// Why a config or secret cannot be changed, and what to do.
std::string changed_content(const std::string& kind, const std::string& name);

}  // namespace hive::stack
