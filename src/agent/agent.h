// The agent's control loop: owns the edge, applies the newest table, drains what its own engine
// says is going, and reports. Runs in one thread.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "agent/image_pulls.h"
#include "agent/mailbox.h"
#include "agent/stops.h"
#include "agent/usage.h"
#include "base/clock.h"
#include "decide/drain/node_departure.h"
#include "edge/edge.h"

namespace hive::agent {

class Agent {
 public:
  struct Options {
    std::string node_id;
    std::string table_file;  // the last table, kept for a start without any controller
    std::function<void(Report)> send;
    std::string cgroup_root{};    // "/" in earnest; empty: no container's CPU and memory are read
    ImagePulls* pulls = nullptr;  // outlives it; null: images that are ordered are not fetched
  };
  // All references must outlive it.
  Agent(Options options, edge::Edge& edge, Stops& stops, Mailbox& mailbox, const Clock& clock);
  // Serves the table of the last run, if there is one.
  void restore();
  // The machine shuts down and gives this long. Once; later calls change nothing.
  void depart(Milliseconds within);
  // The node has taken its leave, or has no more time.
  bool departed() const { return departure_ && departure_->done(); }
  // One turn: waits for mail, at most `wait`, and does what is due.
  void turn(Milliseconds wait);

 private:
  void take_table(model::RoutingTable table);
  void apply();
  void take_event(const ContainerEvent& event);
  void go_on_departing();
  void note(const Status& status, std::string_view what);
  bool news() const;
  void report();

  Options options_;
  edge::Edge& edge_;
  Stops& stops_;
  Mailbox& mailbox_;
  const Clock& clock_;
  model::RoutingTable table_;
  bool have_table_ = false;
  bool applied_ = false;
  std::set<std::string> left_out_;  // leaving tasks that the applied table is without
  std::string edge_fault_;
  std::string engine_init_;
  std::vector<ContainerReport> containers_;
  Usage usage_;
  std::vector<ContainerEvent> events_;
  std::vector<Note> notes_;
  MonotonicTime next_report_{};
  MonotonicTime next_apply_{};
  std::uint64_t reported_revision_ = 0;
  std::uint64_t reported_stops_ = 0;
  std::optional<decide::drain::NodeDeparture> departure_;
  MonotonicTime departs_since_{};
  MonotonicTime gone_at_{};
  bool left_balancer_ = false;
};

// True for the container events that mean "no new request to it" where no stop is held: it dies, or
// its health check fails. `action` is Docker's.
bool is_leaving(std::string_view action);
// True for a kill with a signal that asks to end; its signal is in the action: "kill 15".
bool asks_to_stop(std::string_view action);

}  // namespace hive::agent
