// What a spec needs of the cluster before it is written: ids of networks, secrets and configs, the
// registry's credentials, and the endpoint mode that the kernel can do.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/context.h"
#include "config/compose.h"
#include "engine/engine.h"

namespace hive::cli {

// Fills ids in by name. kNotFound names what is missing and what is near.
Status resolve_references(engine::Engine& engine, Json& spec);

// Credentials for the image's registry: the cluster's own, else docker's config.json
// (DOCKER_CONFIG, ~/.docker). Empty when there are none.
engine::RegistryAuth auth_for_image(const Globals& globals, const std::string& image);

// The same, of the file's x-hive.registry first. An error when its password file cannot be read.
Result<engine::RegistryAuth> auth_for_image(const Globals& globals,
                                            const config::Registry& registry,
                                            const std::string& image);

// A kernel without IP_VS cannot balance a virtual IP: dnsrr is set when the spec names no mode.
// Returns what to tell the user, empty when nothing was done.
std::string choose_endpoint_mode(Json& spec);

// Whether this machine's kernel has IP_VS. True for --host clusters' sake is never assumed: the
// local cloud shares this kernel, and elsewhere dnsrr is only asked for by name.
bool kernel_has_ip_vs();

}  // namespace hive::cli
