// How a node takes its leave when its machine shuts down, as a pure rule: from what its agent sees
// now to what shall be done next. The agent's unit stops before the engine's, so the engine still
// runs, and all of it must fit into the time that the machine gives.
//
//   surging -> stopping -> closing -> done
//
// surging: the controller is asked to drain the node: replacements first, then this node's tasks by
// their stop sequence. stopping: where no controller does it, or too slowly, the agent stops what
// is left by itself, without replacements. closing: the node's edge still serves requests that came
// to it, until the balancer in front has noticed and none is open. What a deadline cut short is
// said in given_up().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace hive::decide::drain {

enum class DepartureStep { kSurging, kStopping, kClosing, kDone };
std::string_view to_string(DepartureStep step);

struct DepartureView {
  MonotonicTime now{};
  std::size_t containers = 0;       // of Swarm tasks, running here
  bool controller_answers = false;  // one says something, lately
  bool schedulable = true;          // as that one sees it: Swarm may give the node new tasks
  std::uint64_t in_flight = 0;      // requests at this node's edge
  std::size_t unrecorded = 0;       // stops that no controller has recorded yet
};

// What shall be so; all idempotent.
struct DepartureWish {
  bool leave_balancer = false;  // the health check that the balancer asks fails
  bool ask_controller = false;
  bool stop_all = false;          // every container, by its stop sequence
  MonotonicTime stopped_until{};  // and until then
};

class NodeDeparture {
 public:
  struct Patience {
    Milliseconds controller_begins{5'000};  // for a controller that answers to begin the drain
    Milliseconds balancer_notices{5'000};   // for failing health checks to take the node out
  };
  // `within`: all of it.
  NodeDeparture(MonotonicTime begun, Milliseconds within);
  NodeDeparture(MonotonicTime begun, Milliseconds within, Patience patience);

  DepartureWish turn(const DepartureView& view);

  DepartureStep step() const { return step_; }
  bool done() const { return step_ == DepartureStep::kDone; }
  const std::vector<std::string>& given_up() const { return given_up_; }

 private:
  void surge(const DepartureView& view);
  void stop(const DepartureView& view);
  void close(const DepartureView& view);

  const MonotonicTime begun_;
  const MonotonicTime surge_until_;
  const MonotonicTime stop_until_;
  const MonotonicTime end_;
  const Patience patience_;
  DepartureStep step_ = DepartureStep::kSurging;
  std::vector<std::string> given_up_;
};

}  // namespace hive::decide::drain
