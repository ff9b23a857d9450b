#include "controller/node_images.h"

#include <algorithm>
#include <set>

#include "decide/placement/constraints.h"

namespace hive::controller {

std::vector<std::string> images_for(const model::Snapshot& snapshot, const model::Node& node) {
  std::set<std::string> out;
  for (const auto& [id, service] : snapshot.services) {
    if (service.image.empty() || (!service.global && service.replicas == 0)) continue;
    if (decide::placement::admits(node, service.constraints).value_or(true))
      out.insert(service.image);
  }
  return {out.begin(), out.end()};
}

ImagesSight look_at_images(const std::vector<std::string>& images, const agent::Report& report) {
  ImagesSight out;
  for (const auto& image : images) {
    const auto told =
        std::find_if(report.pulls.begin(), report.pulls.end(),
                     [&](const agent::PullReport& one) { return one.image == image; });
    const bool failed = told != report.pulls.end() && told->state == agent::PullState::kFailed;
    const bool pulling = told == report.pulls.end() || told->state == agent::PullState::kPulling;
    if (failed && told->tries >= kPullTries)
      out.given_up.push_back(image + ": " + told->why);
    else if (failed || pulling)
      out.missing.push_back(image);
  }
  return out;
}

}  // namespace hive::controller
