#include "decide/drain/node_departure.h"

#include <algorithm>

namespace hive::decide::drain {
namespace {

// Of the whole: replacing tasks takes longest, and what it did not reach still needs its own time.
constexpr int kSurgePercent = 60;
constexpr int kStopPercent = 90;

std::string tasks(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " task" : " tasks");
}

}  // namespace

std::string_view to_string(DepartureStep step) {
  switch (step) {
    case DepartureStep::kSurging:
      return "surging";
    case DepartureStep::kStopping:
      return "stopping";
    case DepartureStep::kClosing:
      return "closing";
    case DepartureStep::kDone:
      return "done";
  }
  return "";
}

NodeDeparture::NodeDeparture(MonotonicTime begun, Milliseconds within)
    : NodeDeparture(begun, within, Patience{}) {}

NodeDeparture::NodeDeparture(MonotonicTime begun, Milliseconds within, Patience patience)
    : begun_(begun),
      surge_until_(begun + within * kSurgePercent / 100),
      stop_until_(begun + within * kStopPercent / 100),
      end_(begun + within),
      patience_(patience) {}

void NodeDeparture::surge(const DepartureView& view) {
  const bool begins = view.controller_answers && view.now < begun_ + patience_.controller_begins;
  // Until the node takes no new tasks, none running means little.
  if (view.containers == 0 && (!view.schedulable || !begins)) {
    step_ = DepartureStep::kClosing;
    return;
  }
  if (begins) return;
  if (!view.controller_answers) {
    given_up_.push_back("no controller answers: " + tasks(view.containers) +
                        " stopped without a replacement first");
    step_ = DepartureStep::kStopping;
  } else if (view.schedulable) {
    given_up_.push_back("the controller did not begin to drain the node: " +
                        tasks(view.containers) + " stopped without a replacement first");
    step_ = DepartureStep::kStopping;
  } else if (view.now >= surge_until_) {
    given_up_.push_back(tasks(view.containers) +
                        " not replaced in time: stopped without a replacement first");
    step_ = DepartureStep::kStopping;
  }
}

void NodeDeparture::stop(const DepartureView& view) {
  if (view.containers == 0) {
    step_ = DepartureStep::kClosing;
  } else if (view.now >= stop_until_) {
    given_up_.push_back(tasks(view.containers) + " not stopped in time: left to the engine's end");
    step_ = DepartureStep::kClosing;
  }
}

void NodeDeparture::close(const DepartureView& view) {
  const bool noticed = view.now >= begun_ + patience_.balancer_notices;
  const bool recorded = view.unrecorded == 0 || !view.controller_answers;
  const bool finished = noticed && view.in_flight == 0 && recorded;
  if (!finished && view.now < end_) return;
  if (view.in_flight > 0)
    given_up_.push_back(std::to_string(view.in_flight) +
                        " requests still open at the node's edge were cut off");
  if (view.unrecorded > 0)
    given_up_.push_back("no controller recorded " + std::to_string(view.unrecorded) + " stops");
  step_ = DepartureStep::kDone;
}

DepartureWish NodeDeparture::turn(const DepartureView& view) {
  if (step_ == DepartureStep::kSurging) surge(view);
  if (step_ == DepartureStep::kStopping) stop(view);
  if (step_ == DepartureStep::kClosing) close(view);
  DepartureWish wish;
  wish.leave_balancer = wish.ask_controller = true;
  wish.stop_all = step_ == DepartureStep::kStopping;
  wish.stopped_until = stop_until_;
  return wish;
}

}  // namespace hive::decide::drain
