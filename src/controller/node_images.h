// The images that a new node shall have before its tasks come, and how its agent gets on with them.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/operation.h"

namespace hive::controller {

// Of the services that shall have tasks and whose placement constraints the node meets, or may
// meet; each once, sorted.
std::vector<std::string> images_for(const model::Snapshot& snapshot, const model::Node& node);

struct ImagesSight {
  std::vector<std::string> missing;   // neither there nor given up
  std::vector<std::string> given_up;  // "IMAGE: why", of those that its agent failed to fetch
};
// So many failures of one image are taken for its end.
inline constexpr std::int64_t kPullTries = 3;

ImagesSight look_at_images(const std::vector<std::string>& images, const agent::Report& report);

}  // namespace hive::controller
