// What a service's x-hive.autoscale asks for, as the rules here read it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decide/autoscale/cron.h"

namespace hive::decide::autoscale {

// What a metric of the policy asks for. Of those but the first only more replicas follow, out from
// the ones that served all the while that it was measured in: it may be minutes old, and asks for
// nothing twice.
enum class MetricUse {
  kShare,  // its sum over all replicas, in portions of what one takes
  kMore,   // so many more than served
  kLimit,  // above the limit so many times as many as served, twice at most; a time in seconds
};

// A figure of the application's own, or of the balancer.
struct MetricTarget {
  std::string name;
  double per_replica = 1;  // the portion, or the limit
  MetricUse use = MetricUse::kShare;
  double over_s = 0;  // the time that it is measured in, which ended when it was as old as it says
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

  // What a replica can carry is not given by any of them.
  bool carries_nothing() const {
    return !requests_per_replica && !concurrency && !cpu &&
           std::none_of(metrics.begin(), metrics.end(),
                        [](const MetricTarget& one) { return one.use == MetricUse::kShare; });
  }
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
