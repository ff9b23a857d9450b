// The controller's own state and its loop: look at the engine, derive what edges and dashboards
// need, tell them, record what happened.
//
// A look that fails changes nothing: the last model stays, marked stale with its age, and no new
// routing table is made of it. One lock guards all state; engine calls are made without it.
// Every public member may be called from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/protocol.h"
#include "base/clock.h"
#include "controller/happenings.h"
#include "controller/operations.h"
#include "controller/order_book.h"
#include "controller/routing.h"
#include "controller/stop_log.h"
#include "controller/view.h"
#include "engine/engine.h"
#include "net/http_server.h"
#include "store/history.h"

namespace hive::controller {

inline constexpr const char* kControllerComponent = "controller";  // in the log

struct ControllerOptions {
  // Looks begin at its multiples by the wall clock, and rest as long as they took...
  Milliseconds tick{1'000};
  // ...and by this: agents report at whole seconds, and so a look has what all saw until then.
  Milliseconds after_reports{200};
  Milliseconds coalesce{100};         // between two looks caused by events
  Milliseconds report_fresh{15'000};  // an agent's word counts this long
  Milliseconds dying{10'000};  // a task told to stop is out this long, then Swarm's word counts
  // So long a controller that begins to act waits for agents' reports of ports that Swarm forgot.
  Milliseconds settle{5'000};
  // A controller that cannot act for this long sends its agents to look for another.
  Milliseconds agents_kept{3'000};
};

// Where Swarm's leader runs, as far as this controller knows.
struct LeaderPlace {
  std::string node_id;
  std::string hostname;
  std::string address;  // without port
};

struct ControllerCounters {
  std::uint64_t ticks_total = 0;
  std::uint64_t tick_failures_total = 0;
  std::uint64_t reports_total = 0;
  std::uint64_t tables_total = 0;
  Milliseconds last_tick{0};
  std::size_t agents = 0;      // streams open
  std::size_t dashboards = 0;  // streams open
};

class Controller {
 public:
  // All references must outlive it.
  Controller(engine::Engine& engine, const Clock& clock, store::History& history,
             ControllerOptions options = {});
  ~Controller();

  // Operations to step while this controller leads; before start().
  void attach(Operations& operations);
  // The cloud's newest word, or nothing; asked at each look, must not block.
  void attach_cloud(std::function<std::optional<CloudLook>()> cloud) { cloud_ = std::move(cloud); }

  // The login that the image is fetched with: an empty one where none is needed or known, nothing
  // while it is on its way. Before start(); must not block, and be safe to call from any thread.
  using Logins = std::function<std::optional<engine::RegistryAuth>(const std::string& image)>;
  void attach_logins(Logins logins) { logins_ = std::move(logins); }

  // Told of each look that was made as leader, and by null of one that was not; must not block.
  void attach_watcher(std::function<void(std::shared_ptr<const World>)> watcher) {
    watcher_ = std::move(watcher);
  }

  void start();  // the loop, and the engine's events
  void stop();

  // One look, and what follows from it. The loop's body; tests call it by hand.
  Status tick();
  void publish_stats();  // to dashboards, what changed; at most once a second by the loop
  void kick();           // a look soon

  void report(const agent::Report& report);
  void add_dashboard(std::shared_ptr<net::EventStream> stream);
  void add_agent(const std::string& node_id, std::shared_ptr<net::EventStream> stream);
  // Replicas that must be ready before a task of the service may leave; replaces what was said.
  void hold_floors(std::map<std::string, std::uint64_t> floors);

  Json status() const;
  Json whole() const;                 // snapshot with its header
  Json part(const char* name) const;  // "nodes", "services", "tasks", "stats"
  Json balancer() const;              // in front of the nodes, as the cloud said last
  Json stops() const;                 // of tasks, as agents told of them, the oldest first
  model::RoutingTable table() const;
  store::History& history() { return history_; }
  bool acts() const;  // self is Swarm's leader and the look is fresh
  std::optional<LeaderPlace> leader() const;
  std::string self_hostname() const;
  bool knows_node(const std::string& id) const;
  ControllerCounters counters() const;
  Milliseconds age() const;

 private:
  struct Look {
    model::Snapshot snapshot;
    std::optional<ClusterSettings> settings;
    std::vector<OperationRecord> operations;
  };
  struct AgentState {
    agent::Report report;
    MonotonicTime at{};
  };

  struct AgentStream {
    std::string node_id;
    std::shared_ptr<net::EventStream> stream;
  };

  Result<Look> look();
  Result<ClusterSettings> read_settings();
  std::shared_ptr<const World> take(Look& look);
  void pass_on_wishes();  // of operations, to agents
  std::map<std::string, std::vector<agent::PullOrder>> pull_orders() const;
  void step_operations(Look look, std::shared_ptr<const World> world);
  void lose(const Error& error);
  // --- under the lock
  void derive();
  void give_orders();
  std::map<std::string, AgentSight> sights() const;
  AgentsSight agents_sight() const;
  void complete_ports(model::Snapshot& now) const;
  Unfit unfit();
  Healths healths() const;
  std::string task_name_of(const std::string& task_id) const;
  void take_stops(const agent::Report& report);
  TaskLoad load_of(const std::string& task_id) const;
  void tell(std::vector<Happening>&& happenings, bool leads);
  void record(std::string kind, std::string subject, std::string reason);
  Json header() const;
  void push_delta(Json delta);
  bool fresh(const AgentState& state) const;
  bool leads() const { return looked_ && !stale_ && snapshot_.self_is_leader; }
  void release_agents();
  void loop();

  engine::Engine& engine_;
  const Clock& clock_;
  store::History& history_;
  const ControllerOptions options_;
  Operations* operations_ = nullptr;
  std::function<std::optional<CloudLook>()> cloud_;
  std::function<void(std::shared_ptr<const World>)> watcher_;
  Logins logins_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool kicked_ = false;
  bool stopping_ = false;

  // The looking thread's own.
  std::string self_node_id_;
  std::string cluster_id_;
  int looks_until_self_ = 0;
  int looks_until_settings_ = 0;

  model::Snapshot snapshot_;
  bool looked_ = false;
  bool stale_ = true;
  MonotonicTime led_at_{};  // the last time that this controller could act
  MonotonicTime leads_since_{};
  bool heard_agents_ = false;  // led since agents were last sent away
  std::string last_error_;
  ClusterSettings settings_;
  std::vector<std::string> problems_;
  model::RoutingTable table_;
  View view_;
  std::uint64_t view_revision_ = 0;
  std::map<std::string, AgentState> agents_;          // by node
  std::map<std::string, MonotonicTime> dying_until_;  // by task
  std::vector<std::shared_ptr<net::EventStream>> dashboards_;
  std::vector<AgentStream> agent_streams_;
  OrderBook order_book_;
  StopLog stop_log_;
  ControllerCounters counters_;

  std::thread loop_thread_;
  std::jthread events_thread_;
};

}  // namespace hive::controller
