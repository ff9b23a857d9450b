// An image from a `docker save` archive straight into a registry, without an engine: nothing is
// unpacked and nothing compressed. Layers go up as the archive has them; the registry checks each
// against its digest. Source: the OCI distribution specification, "Push".
//
// Blocking. Errors: those of registry/client.h and registry/archive.h.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "registry/client.h"

namespace hive::registry {

// The digest of what is at the reference then. Layers that the registry has are not sent again.
Result<std::string> push_archive(Client& client, const std::filesystem::path& archive,
                                 const model::ImageReference& reference);

}  // namespace hive::registry
