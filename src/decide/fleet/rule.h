// How many workers there shall be for the replicas that are wanted, and which of them goes. Pure
// but for its memory of the last window.
//
// More are asked for at once, as many as are missing. One goes when, at every moment of the window,
// it could have been done without: all replicas that were wanted would have had a place on the
// others. So a fleet never shrinks by what it needed a window ago. Of those that may go, the
// cheapest to empty goes: the one with the least to move, by the ways that tasks move
// (decide/placement/move_rule.h). Managers and the `min` oldest workers never go. A worker that
// died is replaced where fewer than `min` are left, needed or not; one that a person ended is not.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "decide/fleet/need.h"

namespace hive::decide::fleet {

// An instance that is a worker, whether its node is there or not.
struct Worker {
  std::string instance_id;
  std::string hostname;
  std::string node_id;  // empty: not joined
  bool serves = false;  // ready, and it takes tasks
  std::int64_t launched_unix_ms = 0;
};

struct FleetView {
  std::int64_t second = 0;  // monotonic
  const model::Snapshot& snapshot;
  const Wants& wants;
  std::vector<Worker> workers;  // terminated ones are none
  int coming = 0;               // asked for, no ready node yet
  int unborn = 0;               // of those, not in `workers` yet
  int dead = 0;                 // died, and nothing was started in their place
  std::set<std::string> going;  // nodes whose instances the cloud ends; not in `workers`
  std::string leaving;          // the instance that hive empties now; empty: none
  bool may_stay = false;        // ... and it could still be kept
  int min = 0;
  int max = 0;
  std::int64_t window_s = 300;
  std::string frozen;  // why nothing may be begun; empty: it may
  std::string busy;    // why nothing may be ended; empty: it may
};

struct FleetDecision {
  int start = 0;          // so many more workers, now
  int replacing = 0;      // of those, in the place of dead ones
  std::string end;        // the instance that goes; empty: none
  bool call_off = false;  // the one that leaves is needed again
  int needed = 0;         // workers, by what is wanted now
  std::string reason;     // one sentence without full stop
  std::vector<std::string> impossible;
};

class FleetRule {
 public:
  // Once a second or so.
  FleetDecision decide(const FleetView& view);
  // The window begins anew.
  void forget() { needed_.clear(); }

 private:
  struct Sight;
  int most_needed(const FleetView& view, int needed);
  static void grow(const FleetView& view, const Need& now, int lost, FleetDecision& out);
  void shrink(const FleetView& view, const Sight& sight, FleetDecision& out) const;

  std::deque<std::pair<std::int64_t, int>> needed_;  // the most since each moment, falling
  std::int64_t since_ = 0;
};

}  // namespace hive::decide::fleet
