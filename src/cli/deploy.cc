#include "cli/deploy.h"

#include "cli/images.h"
#include "cli/reach.h"
#include "cli/service_resolve.h"
#include "cloud/local/local.h"

namespace hive::cli {
namespace {

// Digests of images in the local cluster's own registry; others are left to the engine.
Result<std::string> resolve(const Globals& globals, const std::string& reference) {
  HIVE_ASSIGN(const auto name, pick_cluster(globals));
  HIVE_ASSIGN(const auto cluster, cloud::local::read_cluster(name));
  const std::string prefix = cluster.registry + "/";
  if (!reference.starts_with(prefix))
    return fail(Errc::kUnsupported, reference + " is not of the cluster's registry");
  return digest_in_registry(cluster, reference.substr(prefix.size()));
}

}  // namespace

stack::DeployOptions deploy_options(const DeployRequest& request) {
  stack::DeployOptions options;
  options.stack = request.stack;
  options.prune = request.prune;
  options.resolve_image = request.resolve_image;
  options.traits.ip_vs = kernel_has_ip_vs();
  const Globals globals = request.globals;
  options.resolve = [globals](const std::string& reference) { return resolve(globals, reference); };
  return options;
}

Result<std::vector<std::string>> deploy_spec(engine::Engine& engine, const config::Spec& spec,
                                             const DeployRequest& request) {
  HIVE_ASSIGN(const auto plan, stack::make_plan(engine, spec, deploy_options(request)));
  for (const auto& warning : plan.warnings) request.note("warning: " + warning);
  if (!plan.changes_nothing()) {
    for (const auto& applied : plan.differences)
      request.note("service " + applied.service + ": " + applied.detail);
  }
  stack::ApplyOptions apply;
  const Globals globals = request.globals;
  apply.auth = [globals, &spec,
                &request](const std::string& image) -> Result<engine::RegistryAuth> {
    if (request.auth) {
      HIVE_ASSIGN(auto auth, request.auth(image));
      if (!auth.empty()) return auth;
    }
    return auth_for_image(globals, spec.cluster.registry, image);
  };
  apply.on_action = [&](const stack::Action& action) {
    if (action.verb == stack::Verb::kUnchanged) return;
    request.did(std::string(stack::to_string(action.verb)) + " " +
                std::string(stack::to_string(action.kind)) + " " + action.name + " (" +
                action.reason + ")");
  };
  HIVE_ASSIGN(const auto outcome, stack::apply(engine, plan, apply));
  for (const auto& warning : outcome.warnings) request.note("warning: " + warning);
  HIVE_ASSIGN(const auto services,
              engine.list_services(
                  {{"label", {std::string(stack::kNamespaceLabel) + "=" + request.stack}}}));
  std::vector<std::string> ids;
  for (const auto& service : services) ids.push_back(service.id);
  return ids;
}

}  // namespace hive::cli
