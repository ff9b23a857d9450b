#include "simulator/world.h"

#include <algorithm>
#include <cmath>

#include "simulator/fleet.h"

namespace hive::simulator {
namespace {

constexpr std::size_t kFirstMinute = 60;  // seconds
constexpr double kFirstUtilisation = 0.7;

int sign(int value) { return (value > 0) - (value < 0); }

// The queue that people feel, in replica-seconds of work.
struct Queue {
  double waiting = 0;

  // Returns how much of the second's work was late or given up.
  double pass(double work, double capacity, const WorldOptions& options) {
    const double before = waiting;
    waiting = std::max(0.0, waiting + work - capacity);
    const double bound = capacity * options.patience_s;
    const double given_up = std::max(0.0, waiting - bound);
    waiting -= given_up;
    if (before + work <= capacity) return 0;
    // Waits grow evenly over the second, from `before` to what waits at its end.
    const double limit = capacity * options.late_after_s;
    const double end = waiting;
    if (std::max(before, end) <= limit) return given_up;
    if (std::min(before, end) >= limit) return work;
    const double share = (std::max(before, end) - limit) / std::abs(end - before);
    return std::max(given_up, work * share);
  }
};

class Meter {
 public:
  void second(double load, int supply) {
    const int demand = std::max(1, static_cast<int>(std::ceil(load)));
    if (demand > supply) {
      sum_.theta_under += static_cast<double>(demand - supply) / demand;
      ++sum_.tau_under;
    } else if (supply > demand) {
      sum_.theta_over += static_cast<double>(supply - demand) / demand;
      ++sum_.tau_over;
    }
    if (seconds_ > 0 && sign(supply - supply_) > sign(demand - demand_)) ++sum_.instability;
    demand_ = demand;
    supply_ = supply;
    ++seconds_;
  }
  Elasticity result() const {
    const double part = seconds_ > 0 ? 100.0 / static_cast<double>(seconds_) : 0;
    return {sum_.theta_under * part, sum_.theta_over * part, sum_.tau_under * part,
            sum_.tau_over * part, sum_.instability * part};
  }

 private:
  Elasticity sum_;
  std::int64_t seconds_ = 0;
  int demand_ = 0;
  int supply_ = 0;
};

}  // namespace

int initial_replicas(const Load& load, const WorldOptions& options) {
  if (options.initial > 0) return std::clamp(options.initial, options.min, options.max);
  const std::size_t seconds = std::min(kFirstMinute, load.requests.size());
  double sum = 0;
  for (std::size_t i = 0; i < seconds; ++i) sum += static_cast<double>(load.requests[i]);
  const double need =
      seconds > 0 ? sum / static_cast<double>(seconds) / options.capacity / kFirstUtilisation : 0;
  return static_cast<int>(std::clamp<double>(std::ceil(need), options.min, options.max));
}

Outcome simulate(const Load& load, const WorldOptions& options, Policy& policy) {
  Outcome out;
  Fleet fleet(options, initial_replicas(load, options));
  Queue queue;
  Meter meter;
  Seen seen;
  std::size_t gap = 0;
  const double per_request = 1 / options.capacity;
  if (options.keep_supply) out.supply.reserve(load.requests.size());
  for (std::size_t t = 0; t < load.requests.size(); ++t) {
    while (gap < load.gaps.size() && t >= load.gaps[gap].end) ++gap;
    const auto now = static_cast<std::int64_t>(t);
    seen.known = gap >= load.gaps.size() || t < load.gaps[gap].begin;
    fleet.advance(now);
    const int ready = fleet.ready();
    if (options.keep_supply)
      out.supply.push_back(static_cast<std::uint16_t>(std::min(ready, 65535)));
    if (seen.known) {
      const double work = static_cast<double>(load.requests[t]) * per_request;
      const double busy = std::min(queue.waiting + work, static_cast<double>(ready));
      out.demand += work;
      out.unserved += std::max(0.0, work - ready);
      out.late += queue.pass(work, ready, options);
      out.node_seconds += fleet.nodes();
      out.peak = std::max(out.peak, ready);
      meter.second(work, ready);
      seen.requests = static_cast<double>(load.requests[t]);
      seen.utilisation = ready > 0 ? busy / ready : 0;
      seen.in_flight = busy + queue.waiting;
    }
    seen.now = load.start + now + 1;
    seen.ready = ready;
    seen.starting = fleet.starting();
    const int wanted = std::clamp(policy.step(seen), options.min, options.max);
    const int have = ready + fleet.starting();
    if (wanted == have) continue;
    out.boots += fleet.want(now + 1, wanted);
    ++(wanted > have ? out.ups : out.downs);
  }
  out.elasticity = meter.result();
  return out;
}

double elastic_speedup(const Elasticity& without, const Elasticity& with) {
  const auto ratio = [](double a, double b) { return std::max(a, 0.01) / std::max(b, 0.01); };
  return std::pow(
      ratio(without.theta_under, with.theta_under) * ratio(without.theta_over, with.theta_over) *
          ratio(without.tau_under, with.tau_under) * ratio(without.tau_over, with.tau_over),
      0.25);
}

}  // namespace hive::simulator
