// The autoscaler of one service, as a pure rule: what is seen each second ->
// how many replicas and nodes, and why. The same sizing (sizer.h) runs in `hive
// simulate`.
//
// An old or missing signal never drives a decision: the number holds, and after
// a gap nothing is taken away until a minute of signals has been seen. While a
// metric of the policy is not known, the other targets only add.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "decide/autoscale/brakes.h"
#include "decide/autoscale/carried.h"
#include "decide/autoscale/policy.h"
#include "decide/autoscale/sizer.h"

namespace hive::decide::autoscale {

inline constexpr double kFreshSeconds = 5;

// A measurement and how old it is.
struct Signal {
  std::optional<double> value;
  double age_s = 0;
  double fresh_s = kFreshSeconds;  // older it is none
};

struct View {
  std::int64_t second = 0;      // monotonic seconds: intervals, limits
  std::int64_t unix_s = 0;      // wall clock: seasons and schedules
  Signal requests;              // that arrived at the edges, a second
  Signal in_flight;             // open requests of the service
  Signal cpu;                   // mean of the ready replicas, share of the reservation
  Signal memory;                // likewise
  Signal latency_s;             // mean time of an answer
  std::vector<Signal> metrics;  // of Target::metrics, in their order
  int ready = 0;                // replicas that serve
  int starting = 0;             // ordered, not serving yet
  // How many are ordered, where that is not `ready + starting`: some are on their way out.
  std::optional<int> ordered;
  // An edge is silent, or a metric not known of each task: there is at least this load, and none is
  // taken away.
  bool partial = false;
  double lead_s = 60;  // measured here: from an order to its serving
  bool rolling_out = false;
  bool paused = false;            // somebody scaled by hand, or switched the policy off
  std::string held_by;            // who else moves its tasks now, as a sentence; empty: nobody
  std::vector<int> zone_offsets;  // of Policy::schedules, seconds east of UTC now
};

struct Decision {
  int replicas = 0;     // wanted; as many as there are: nothing to do
  int nodes = 0;        // that these need by density
  int wanted = 0;       // before speed limits, windows and cooldowns
  bool held = false;    // signals, a rollout or a pause keep the number as it is
  std::string reason;   // a sentence without full stop
  double load = 0;      // in replicas' worth of the target
  double expected = 0;  // at now + lead
  double capacity = 0;  // requests a second that a replica is given, by target or learned; 0: none
  double concurrency = 0;  // open requests that a replica is given, by target or learned; 0: none
  Bounds bounds;           // that hold now, schedules included
};

class Autoscaler {
 public:
  // `lead_s`: the first estimate; View::lead_s follows what is measured. `phase`: 0 to 59; services
  // that differ in it do the more costly parts of their work in different seconds.
  Autoscaler(Policy policy, double lead_s, int phase = 0);

  // Once a second. Late calls are made up for: seconds without one count as
  // without signals.
  Decision decide(const View& view);

  // What was learned, as bytes (about 130 KiB), for a successor of the same
  // version.
  std::string save();
  // kCorrupt when these are no such bytes; what was learned is then as it was
  // before.
  Status restore(std::string_view bytes);

 private:
  // The signal that decides, in a sentence's parts.
  struct Cause {
    std::string words;    // "1,430 requests/s now"
    std::string portion;  // what a replica is given of it, by target or learned
    std::optional<double> amount = std::nullopt;  // what is expected is told as it is
  };

  // Of the signals the one that asks for most; in replicas.
  std::optional<double> load_of(const View& view);
  std::optional<double> load_of_metric(const MetricTarget& target, const Signal& signal) const;
  void remember_ready(const View& view);
  std::optional<int> served_while(const MetricTarget& target, const Signal& signal) const;
  bool metric_known(const View& view, std::size_t index) const;
  void learn_capacity(const View& view);
  int floor_of_memory(const View& view) const;
  int wanted_of(const View& view, const Bounds& bounds);
  std::string explain(int current, int next) const;
  bool holds_more(int replicas) const;
  std::optional<double> learned() const;
  std::string unknown_metric(const View& view) const;
  std::string why_no_load(const View& view) const;
  void follow(const View& view);
  Decision move(const View& view);
  Decision hold(const View& view, const Bounds& bounds, std::string reason) const;

  Policy policy_;
  Sizer sizer_;
  Brakes brakes_;
  double lead_s_;
  std::int64_t last_second_ = -1;
  std::int64_t fresh_since_ = 0;
  bool was_fresh_ = false;
  Bounds bounds_;
  std::int64_t bounds_minute_ = -1;
  std::int64_t ahead_minute_ = -1;
  double served_ = 0;  // sums of requests * busy replicas and busy replicas squared, decayed
  double busy_ = 0;
  Carried carried_;
  std::deque<std::pair<std::int64_t, int>> ready_;  // by second, of the last minutes
  double load_ = 0;
  Cause cause_;
};

}  // namespace hive::decide::autoscale
