// What HAProxy's average response time of a server slot says of the task that holds it: the average
// is over the slot's last requests, whoever they were for, and slots are used again.
//
// Source: HAProxy 2.6, swrate_add_dynamic() and TIME_STATS_SAMPLES: a plain mean of the first 512
// requests; from then on each takes the place of a 512th of what is there.
#pragma once

#include "edge/haproxy/runtime.h"

namespace hive::edge::haproxy {

inline constexpr double kSlotSamples = 512;

struct SlotMean {
  double response_time_ms = 0;
  double weight = 0;  // requests that it stands for, 0 to kSlotSamples
};

// Of the requests between two rows of the same slot.
SlotMean mean_between(const ServerRow& begin, const ServerRow& end);

}  // namespace hive::edge::haproxy
