// The stop policy that a service's x-hive.drain asks for; the defaults where it says nothing.
#pragma once

#include "config/compose.h"
#include "model/stop_policy.h"

namespace hive::config {

model::StopPolicy stop_policy(const Service& service);

}  // namespace hive::config
