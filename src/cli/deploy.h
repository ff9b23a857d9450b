// A Compose file's services into the Swarm, with the cluster's registry and differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "config/compose.h"
#include "engine/engine.h"
#include "stack/deploy.h"
#include "stack/plan.h"

namespace hive::cli {

struct DeployRequest {
  std::string stack;
  Globals globals;  // for credentials
  bool prune = false;
  stack::ResolveImage resolve_image = stack::ResolveImage::kAlways;
  std::function<void(const std::string&)> note;  // warnings and differences
  std::function<void(const std::string&)> did;
  // Of an image's registry, where it is not the file's or docker's own; may be empty, and say
  // nothing.
  std::function<Result<engine::RegistryAuth>(const std::string& image)> auth;
};

stack::DeployOptions deploy_options(const DeployRequest& request);

// Plans and applies. Ids of the stack's services.
Result<std::vector<std::string>> deploy_spec(engine::Engine& engine, const config::Spec& spec,
                                             const DeployRequest& request);

}  // namespace hive::cli
