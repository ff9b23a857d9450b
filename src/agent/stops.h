// The stops of one node: arms each container's hive-init, notices a held stop (by Docker's event,
// or by looking), and moves each through the stop sequence (decide/drain). Owned by the agent's
// control thread.
//
// Progress is kept in a directory, one file a container: a new agent goes on where the last one was
// killed. Bounded by the containers of the node.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/orders.h"
#include "agent/protocol.h"
#include "agent/stop_hands.h"
#include "base/clock.h"
#include "decide/drain/stop_sequence.h"

namespace hive::agent {

struct StopsOptions {
  std::string directory;  // of the progress files; empty = none are kept
  // A person's `docker stop`, and the engine's own when it ends (both 10 s in Docker).
  Milliseconds docker_grace{10'000};
  // While a stop goes on, a controller that says nothing for this long does not answer.
  Milliseconds controller_fresh{3'000};
};

class Stops {
 public:
  // `hands` and `clock` must outlive it.
  Stops(StopsOptions options, StopHands& hands, const Clock& clock);

  // All running containers of tasks on the node; those that are not in it have ended.
  void containers(const std::vector<ContainerInfo>& running);
  // Docker's "kill" event of the container: a stop may be held now.
  void killed(const std::string& container_id);
  void orders(NodeOrders orders);
  // No controller's stream is open.
  void controller_lost() { link_up_ = false; }

  // The node goes: every container is stopped, also without a controller, and has until then at the
  // most. Called again with the same words it changes nothing.
  void stop_all(const std::string& by, const std::string& reason, MonotonicTime until);

  // Looks at every container that is due and does what is to be done.
  // `edge_out`: tasks that this node's edge sends nothing to.
  void turn(const std::set<std::string>& edge_out);

  // Tasks that no edge may send to: they are being stopped.
  const std::set<std::string>& leaving() const { return leaving_; }
  std::vector<model::StopRecord> records() const;
  // By container: armed, held, ...; or what runs instead of hive-init.
  std::string init_of(const std::string& container_id) const;
  bool active() const;  // a stop is under way
  // Its stops are held: hive-init runs there.
  bool holds(const std::string& container_id) const;
  // Counts up with every step of every stop.
  std::uint64_t changes() const { return changes_; }
  std::size_t running() const;
  // A controller has said something within controller_fresh, counted from `since` at the earliest.
  bool controller_answers(MonotonicTime since) const;
  // As the controller said last: Swarm may give this node new tasks.
  bool schedulable() const { return orders_.schedulable; }

 private:
  struct Stop {
    decide::drain::StopSequence sequence;
    model::StopRecord record;
    MonotonicTime started{};  // when the container was told to stop
    MonotonicTime begun{};    // when this agent noticed
    MonotonicTime ended{};
    bool door_closed = false;
    bool door_fails = false;
    bool signalled = false;  // the application, by this agent
  };
  struct Container {
    ContainerInfo info;
    InitSight init;
    MonotonicTime look_at{};  // when it is looked at next
    unsigned looks = 0;
    bool ordered = false;  // docker stop was started
    bool running = true;
    bool logs_watched = false;
    std::unique_ptr<Stop> stop;
  };

  void look(Container& container);
  void obey(Container& container);
  void begin(Container& container);
  void restore(Container& container, Stop& stop);
  void advance(Container& container, bool edge_out);
  decide::drain::StopView view_of(Container& container, bool edge_out);
  void act(Container& container, const decide::drain::StopWish& wish);
  void keep(const Container& container) const;
  void finish(Container& container);
  bool controller_answers(const Container& container) const;
  // The controller answers and has looked at Swarm since it heard of this stop.
  bool controller_knows(const Container& container) const;
  model::StopPolicy policy_of(const Container& container) const;
  MonotonicTime kill_time(const Container& container, MonotonicTime started) const;
  void ask_who(const Container& container, model::StopRecord& record) const;
  const StopOrder* order_of(const Container& container) const;
  const TaskOrders* task_of(const Container& container) const;
  const ServiceOrders* service_of(const Container& container) const;

  const StopsOptions options_;
  StopHands& hands_;
  const Clock& clock_;
  NodeOrders orders_;
  std::optional<StopOrder> of_all_;  // the node goes
  MonotonicTime all_until_{};
  bool link_up_ = false;
  MonotonicTime orders_at_{};
  std::map<std::string, Container> containers_;  // by id
  std::set<std::string> leaving_;                // task ids
  std::uint64_t changes_ = 0;
};

}  // namespace hive::agent
