#include "controller/swarm_actions.h"

namespace hive::controller {
namespace {

Status write_replicas(engine::Engine& engine, const std::string& id, std::uint64_t version,
                      std::uint64_t replicas) {
  HIVE_ASSIGN(const Json service, engine.inspect_service(id));
  if (static_cast<std::uint64_t>(json_int(service, "Version.Index")) != version)
    return fail(Errc::kConflict, "the service was changed meanwhile");
  Json spec = service.value("Spec", Json::object());
  if (json_path(spec, "Mode.Replicated") == nullptr)
    return fail(Errc::kInvalidArgument, "it is no replicated service");
  spec["Mode"]["Replicated"]["Replicas"] = replicas;
  engine::ServiceWriteOptions options;
  options.registry_auth_from = "spec";
  HIVE_TRY(engine.update_service(id, version, spec, options));
  return {};
}

}  // namespace

OperationAction scale_action(const model::Service& service, std::uint64_t replicas,
                             std::string reason) {
  return {"scale " + service.name + " from " + std::to_string(service.replicas) + " to " +
              std::to_string(replicas),
          std::move(reason),
          [id = service.id, version = service.version, replicas](Outside& outside) {
            return write_replicas(outside.engine, id, version, replicas);
          }};
}

OperationAction availability_action(const model::Node& node, const std::string& availability,
                                    std::string reason) {
  return {"set node " + node.hostname + " to " + availability, std::move(reason),
          [id = node.id, availability](Outside& outside) {
            return engine::modify_node(outside.engine, id, [&](Json& spec) -> Result<bool> {
              if (json_string(spec, "Availability") == availability) return false;
              spec["Availability"] = availability;
              return true;
            });
          }};
}

}  // namespace hive::controller
