// The offline optimum: the least that any policy could have paid that knew the whole load.
//
// Minimises billed node-seconds with at most a share of the demand unserved. With a price p on
// unserved work it falls apart into one two-state (on, off) problem for each level k of capacity
// with the use u_k = clip(load - (k-1), 0, 1): a second on costs 1, a second off p*u_k, a start the
// boot time (billed, begun early by foresight). Levels nest, so the integer optimum is exact in
// O(seconds * levels) (Albers and Quedenfeld, "Optimal algorithms for right-sizing data centers",
// arXiv 1807.05112). p is found by bisection; the value of the dual there is the bound, since a
// feasible plan just below the objective is no strict one.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/load.h"

namespace hive::simulator {

struct OptimumOptions {
  double capacity = 1;       // requests a second that one node serves
  double boot_s = 90;        // billed at each start; 0: the zero-delay optimum of Gandhi et al.
                             // (AutoScale, TOCS 2012)
  double objective = 0.001;  // share of the demand that may stay unserved
  int min = 1;               // nodes that are on whatever the load
  int max = 1'000'000;
};

struct Optimum {
  double bound = 0;     // node-seconds: no policy that meets the objective pays less
  double cost = 0;      // of the plan at the price
  double unserved = 0;  // of that plan, share of the demand: the objective or just below it
  double price = 0;     // p: node-seconds worth paying to serve one replica-second
};

Optimum optimum(const Load& load, const OptimumOptions& options);

// The plan at a price: cost, unserved (replica-seconds), and the value cost + price * unserved.
struct Plan {
  double cost = 0;
  double unserved = 0;
  double value() const { return value_; }
  double value_ = 0;
};
Plan plan_at(const Load& load, const OptimumOptions& options, double price);

// Nodes on in each second (0 in gaps) of the plan at a price, for pictures.
std::vector<std::uint16_t> plan_supply(const Load& load, const OptimumOptions& options,
                                       double price);

}  // namespace hive::simulator
