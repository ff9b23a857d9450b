// What a new instance is called and which address it has: the lowest that is free. Pure.
#pragma once

#include <vector>

#include "cloud/local/state.h"

namespace hive::cloud::local {

// The record without id, time and process. `records`: all that are kept, terminated ones too, whose
// disks may still be there. kAlreadyExists for a host name that is taken, kResourceExhausted when
// no address is free.
Result<InstanceRecord> new_instance(const std::vector<InstanceRecord>& records,
                                    const LocalCluster& cluster, const LaunchRequest& request);

}  // namespace hive::cloud::local
