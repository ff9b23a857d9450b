// What unserved work is worth, found from the objective: shadow copies of the
// plan, each at a fixed price, meet the same load; the price is where a shadow
// would have left just what is allowed.
//
// What they leave is a rate to go by, and one catastrophe is no rate: else all but the dearest
// shadow, which missed all of it too but a little less, would look too cheap for as long as it is
// remembered. The hour of it and its aftershocks count for nothing; another in the same week does.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "decide/autoscale/level_plan.h"

namespace hive::decide::autoscale {

struct PriceOptions {
  double objective = 0.001;  // share of the load that may stay unserved
  int min = 1;
  int max = 1;
  double start_cost_s = 90;
  double lead_s = 90;  // from an order to its serving
};

class PriceFinder {
 public:
  static constexpr std::size_t kShadows = 11;

  explicit PriceFinder(const PriceOptions& options);

  static double price_of(std::size_t shadow);
  static double dearest() { return price_of(kShadows - 1); }

  // A tick: what each of its seconds brought (in replicas), what really stayed
  // unserved, what the forecast now expects, and the replicas that are held whatever it does.
  void tick(const double* loads, int count, double unserved, const std::vector<double>& uses,
            int least);
  double price() const { return price_; }
  // What shadow copies would have left unserved, lately; share of the load.
  double share(std::size_t shadow) const;

  void set_lead(double lead_s, double start_cost_s);
  void set_bounds(int min, int max);

  template <class A>
  void fields(A& a) {
    for (Shadow& one : shadows_) a(one.unserved);
    a(demand_, price_, spent_, spent_demand_, demand_scale_, novel_, record_);
  }

 private:
  struct Shadow {
    LevelPlan plan;
    // Orders not yet outlived: what serves is the least of the last lead time.
    std::deque<std::pair<std::int64_t, int>> orders;
    double unserved = 0;
    double lately = 0;  // of it, in about an hour; derived, not kept
    int serving = 0;
  };
  void choose();
  bool in_catastrophe(double unserved);
  void account(const double* loads, int count, double demand, double unserved);
  double days() const;  // that it knows of, at most as many as it remembers

  PriceOptions options_;
  std::array<Shadow, kShadows> shadows_;
  double demand_ = 0;
  double price_ = 0;
  double spent_ = 0;  // unserved in truth
  double spent_demand_ = 0;
  double demand_scale_ = 0;  // of a day
  double novel_ = 0;         // of spent_, above all that had been seen a lead time before
  double record_ = 0;        // the most that any second needed, up to a lead time ago
  std::deque<double> most_;  // of each tick since
  std::int64_t ticks_ = 0;
  double lately_ = 0;  // really unserved, in about an hour
  bool catastrophe_ = false;
  std::int64_t catastrophe_began_ = 0;  // tick; 0: none
};

}  // namespace hive::decide::autoscale
