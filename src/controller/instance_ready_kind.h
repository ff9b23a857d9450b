// The operation that lets a new instance count once it can serve: the cloud holds it
// (cloud::Hold::kLaunching) until its node is ready, its agent reports, and the images are there of
// the services that may have tasks on it (node_images.h): its agent is told to fetch them. What it
// cannot fetch, or not within kImagesMs, is said and not waited for any longer; an older agent is
// not waited for at all. Begun by hive itself. An instance whose node does not come within
// x-hive.workers.join_timeout, ten minutes at least, is given up: its group ends it and starts
// another.
//   instance_ready  {"instance"}
#pragma once

#include <cstdint>
#include <memory>

#include "controller/operation.h"

namespace hive::controller {

inline constexpr std::int64_t kImagesMs = 300'000;

std::unique_ptr<OperationKind> make_instance_ready_kind();

}  // namespace hive::controller
