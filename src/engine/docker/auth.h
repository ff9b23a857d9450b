// X-Registry-Auth: how credentials travel to an engine.
#pragma once

#include <string>
#include <string_view>

#include "engine/engine.h"

namespace hive::engine::docker {

// The URL-safe base64 (with padding, as the engine's decoder wants it) of the AuthConfig JSON.
std::string registry_auth_header(const RegistryAuth& auth);
std::string base64url(std::string_view bytes);

}  // namespace hive::engine::docker
