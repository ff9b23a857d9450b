// The parts of the conversion, for convert.cc alone.
#pragma once

#include "stack/convert.h"

namespace hive::stack::parts {

// "<stack>_<key>", or the name that the object gives itself.
std::string scoped(const std::string& stack, const std::string& key, const std::string& name);
// With the stack's own label.
Json stack_labels(const std::string& stack, const config::StringMap& labels);
// True for networks that are not docker's own ("host", "bridge", ...).
bool user_defined(const std::string& network);

Result<Json> service_spec(const config::Spec& spec, const std::string& stack,
                          const config::Service& service);
Result<Json> mounts(const config::Spec& spec, const std::string& stack,
                    const config::Service& service);
Result<Json> resources(const config::Deploy& deploy);
Json restart_policy(const config::RestartPolicy& policy);
// From the service's own `restart`; null when there is nothing to say.
Result<Json> restart_policy(const std::string& restart);
Json update_config(const config::UpdateConfig& update);
Result<Json> healthcheck(const config::Healthcheck& check);
Json endpoint(const config::Service& service);
Result<Json> secret_references(const config::Spec& spec, const std::string& stack,
                               const config::Service& service);
Result<Json> config_references(const config::Spec& spec, const std::string& stack,
                               const config::Service& service);
// {CapabilityAdd, CapabilityDrop}: normalized, sorted, an added one is not dropped.
std::pair<Json, Json> capabilities(const config::Service& service);

}  // namespace hive::stack::parts
