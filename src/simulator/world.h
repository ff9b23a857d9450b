// The model of the world: a load meets replicas that a policy orders, on nodes that take time to
// boot and cost money from their order to their end.
//
// Each second the serving replicas take what they can; what is above is unserved in that second
// (the measure of the offline optimum). Beside it a queue shows what people would feel: work above
// the capacity waits, up to `patience_s` worth of the capacity, and a request that waits longer
// than `late_after_s` misses the latency objective.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "simulator/load.h"
#include "simulator/policy.h"

namespace hive::simulator {

// Of a cold EC2 Linux instance, from the order to the first task that serves.
struct BootSpread {
  double median_s = 56;
  double p90_s = 158;
};

struct WorldOptions {
  double capacity = 1;               // requests a second that one replica serves; above 0
  double boot_s = 90;                // of a node
  std::optional<BootSpread> spread;  // instead of boot_s: each node draws its own
  double container_start_s = 0;      // after the node is up
  int density = 1;                   // replicas that fit on a node
  int min = 1;                       // replicas; at least 1
  int max = 1'000'000;
  int initial = 0;  // serving at the start; 0: what the first minute needs at 70 %
  double late_after_s = 1;
  double patience_s = 10;
  std::uint64_t seed = 1;  // of boot times
  bool keep_supply = false;
};

// Elasticity metrics of the SPEC Research Group (Herbst et al., "Ready for Rain?", 2016), with
// demand d = the replicas that the second's load needs, supply s = those that serve; percent.
struct Elasticity {
  double theta_under = 0;  // accuracy: mean of max(d-s, 0) / d
  double theta_over = 0;   //           mean of max(s-d, 0) / d
  double tau_under = 0;    // share of seconds with d > s
  double tau_over = 0;     // share of seconds with s > d
  double instability = 0;  // share of seconds where the supply moves up and the demand does not, or
                           // the demand down and the supply does not
};

struct Outcome {
  double node_seconds = 0;  // billed, boots included
  double demand = 0;        // in replica-seconds
  double unserved = 0;      // in replica-seconds
  double late = 0;          // replica-seconds of work that missed the latency objective
  std::int64_t ups = 0;     // orders of more
  std::int64_t downs = 0;
  std::int64_t boots = 0;  // nodes started
  int peak = 0;            // most replicas that served
  Elasticity elasticity;
  std::vector<std::uint16_t> supply;  // replicas that serve, each second; with keep_supply
  double unserved_share() const { return demand > 0 ? unserved / demand : 0; }
  double late_share() const { return demand > 0 ? late / demand : 0; }
};

// Replicas that the first measured minute needs at 70 % utilisation, within min and max.
int initial_replicas(const Load& load, const WorldOptions& options);

Outcome simulate(const Load& load, const WorldOptions& options, Policy& policy);

// Geometric mean of the four ratios of `without` to `with` (theta and tau, under and over), each at
// least 0.01 %: above 1, the scaler helps.
double elastic_speedup(const Elasticity& without, const Elasticity& with);

}  // namespace hive::simulator
