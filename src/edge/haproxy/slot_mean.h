// What HAProxy's average response time of a server slot says of the task that holds it: the average
// is over the slot's last requests, whoever they were for, and slots are used again.
//
// Source: HAProxy 2.6, swrate_add_dynamic() and TIME_STATS_SAMPLES: a plain mean of the first 512
// requests; from then on each takes the place of a 512th of what is there.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "edge/haproxy/runtime.h"

namespace hive::edge::haproxy {

inline constexpr double kSlotSamples = 512;

struct SlotMean {
  double response_time_ms = 0;
  double weight = 0;  // requests that it stands for, 0 to kSlotSamples
};

// Of the requests between two rows of the same slot.
SlotMean mean_between(const ServerRow& begin, const ServerRow& end);

// The tasks' average response times: of their own requests alone, over all slots that they hold.
class TaskMeans {
 public:
  // A slot that the task holds: its row in the look before, and now.
  void add(const std::string& slot, const std::string& task, const ServerRow& before,
           const ServerRow& now);
  // In milliseconds, by task, of what was added since the last call; tasks without a request are
  // left out.
  std::map<std::string, std::uint32_t> take();
  // HAProxy began anew.
  void forget() { holders_.clear(), sums_.clear(); }

 private:
  struct Holder {
    std::string task;
    ServerRow begin;  // of the slot, when the task took it
  };
  std::map<std::string, Holder> holders_;  // by slot
  std::map<std::string, SlotMean> sums_;   // by task
};

}  // namespace hive::edge::haproxy
