// Images in the cluster's own registry.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "cloud/local/local.h"
#include "config/compose.h"

namespace hive::cli {

// Which of the references that the file names ("repo:tag", in its services and its registry.images)
// the registry has; nothing when it does not answer.
std::optional<std::set<std::string>> images_in_registry(const cloud::local::LocalCluster& cluster,
                                                        const config::Spec& spec);

// The digest of repo:tag in the cluster's registry. kNotFound, kUnauthenticated, kUnavailable.
Result<std::string> digest_in_registry(const cloud::local::LocalCluster& cluster,
                                       const std::string& reference);

// Pushes those of the file's registry.images that the registry lacks. Says each that it did.
Status push_missing_images(const cloud::local::LocalCluster& cluster, const config::Spec& spec,
                           const std::function<void(const std::string&)>& did);

// Pushes a `docker save` archive as repo:tag; no engine takes part.
Status push_archive(const cloud::local::LocalCluster& cluster, const std::string& archive,
                    const std::string& reference);

}  // namespace hive::cli
