// The size of a service for its load: forecast, expected use, price and plan put together. In
// replicas' worth of load; knows nothing of policies, clusters or clocks.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "decide/autoscale/first_time.h"
#include "decide/autoscale/level_plan.h"
#include "decide/autoscale/price.h"
#include "decide/forecast/load_model.h"

namespace hive::decide::autoscale {

struct SizerOptions {
  double objective = 0.001;  // share of the load that may stay unserved
  double lead_s = 90;        // from an order to the moment it serves
  // What a start costs, in seconds of a running replica; at least kLeastStartCost_s.
  double start_cost_s = 90;
  int min = 1;
  int max = 1'000;
  bool predict = true;  // seasons and clock; without: what the last minutes tell
  int phase = 0;        // LoadModel's
};

class Sizer {
 public:
  // However quickly a replica serves: it is also started, warmed and stopped, and what the forecast
  // gives a rise a chance of changes with each minute while it has seen few.
  static constexpr double kLeastStartCost_s = 30;
  // What a service of which so little was seen gives back is weighed against a start of at least
  // kYoungStartCost_s: each minute changes much of what is known of it.
  static constexpr std::int64_t kYoung_s = 900;
  static constexpr double kYoungStartCost_s = 90;

  explicit Sizer(const SizerOptions& options);

  // The second that ends at `now`: its load (nullopt: no signal; everything holds) and the replicas
  // that served. Returns the replicas wanted.
  int observe(std::int64_t now, std::optional<double> load, int ready);

  int wanted() const { return plan_.level(); }
  double price() const { return price_.price(); }
  const PriceFinder& prices() const { return price_; }
  const forecast::Outlook& outlook() const { return model_.outlook(); }
  const std::vector<double>& uses() const { return uses_; }
  // The load that capacity is held for because its like was never seen before; 0: none.
  double held() const { return first_.held(); }
  void set_lead(double lead_s, double start_cost_s);
  void set_bounds(int min, int max);

  template <class A>
  void fields(A& a) {
    a(model_, price_);
  }

 private:
  int cap() const;
  int least();
  double start_cost_s() const;

  SizerOptions options_;
  forecast::LoadModel model_;
  PriceFinder price_;
  LevelPlan plan_;
  FirstTime first_;
  std::vector<double> uses_;
  std::vector<double> tick_loads_;
  double tick_unserved_ = 0;
};

}  // namespace hive::decide::autoscale
