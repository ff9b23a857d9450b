// What a service's x-hive.autoscale asks for, as the rules here read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decide/autoscale/cron.h"

namespace hive::decide::autoscale {

// A figure of the application's own: its sum over all replicas, and what one replica takes of it.
struct MetricTarget {
  std::string name;
  double per_replica = 1;
};

// What one replica shall carry; of several the one that asks for the most
// replicas decides. Nothing set: what a replica can carry is learned from
// requests and CPU.
struct Target {
  std::optional<double> requests_per_replica;  // a second
  std::optional<double> concurrency;           // requests open at one time
  std::optional<double> cpu;                   // share of the reservation, 0.6 = 60 %
  std::optional<double> memory;     // likewise; only a floor, since it says nothing ahead
  std::optional<double> latency_s;  // above it, more replicas than now
  std::vector<MetricTarget> metrics;
};

struct Schedule {
  Cron cron;
  std::string zone = "UTC";
  std::int64_t duration_s = 0;  // at most a week
  std::optional<int> min;
  std::optional<int> max;
};

struct Policy {
  int min = 1;
  int max = 1;
  Target target;
  bool predict = true;
  std::vector<Schedule> schedules;
  std::optional<int> out_per_minute;
  std::optional<int> in_per_minute;
  double stabilise_in_s = 0;   // never fewer than were right at any time in it
  double stabilise_out_s = 0;  // never more than were right at all times in it
  double cooldown_in_s = 0;    // after any change, before removing
  double cooldown_out_s = 0;   // after any change, before adding
  int density = 1;             // replicas that fit on a node, by reservations
  double objective = 0.001;    // share of the requests that may meet too few replicas
};

struct Bounds {
  int min = 1;
  int max = 1;
  bool scheduled = false;  // a schedule changed them
  bool operator==(const Bounds&) const = default;
};

// The bounds at a moment. `offset_s`: seconds east of UTC of each schedule's
// zone then, in their order.
Bounds bounds_at(const Policy& policy, std::int64_t unix_s, const std::vector<int>& offset_s);

}  // namespace hive::decide::autoscale
