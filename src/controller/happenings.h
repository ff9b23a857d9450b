// What happened between two looks at the cluster, in plain words. Pure.
#pragma once

#include <vector>

#include "model/cluster.h"
#include "store/history.h"

namespace hive::controller {

// Nothing for the first look (an empty `before`): what was there already did not happen now.
std::vector<store::HistoryEvent> happenings(const model::Snapshot& before,
                                            const model::Snapshot& now);

}  // namespace hive::controller
