// What happened between two looks at the cluster, in plain words. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/cluster.h"
#include "store/history.h"

namespace hive::controller {

struct Happening {
  store::HistoryEvent event;
  std::string ended_task;  // its id, when this is the end of a task
};

// Nothing for the first look (an empty `before`): what was there already did not happen now.
std::vector<Happening> happenings(const model::Snapshot& before, const model::Snapshot& now);

}  // namespace hive::controller
