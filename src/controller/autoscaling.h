// Autoscaling as the controller does it: each second, for each service with x-hive.autoscale, the
// signals of one look go to the rule (decide/autoscale/autoscaler.h), and what it decides is done.
//
// More replicas are one write of the service, fenced by the version that the decision saw; fewer
// are an operation `scale`, as `hive service scale` begins it, so that tasks leave by the stop
// sequence. The one that acts is Swarm's leader: others are told to rest(). What a person set is a
// person's: a number that somebody else wrote pauses the policy (model/autoscale.h) until it is
// resumed.
//
// Public members may be called from any thread, step(), rest() and save() by one at a time. Writes
// and files are the executor's; a step makes no call that blocks, except that it reads a service's
// kept file when it first sees the service.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "controller/autoscale_metrics.h"
#include "controller/autoscale_signals.h"
#include "controller/autoscale_store.h"
#include "controller/balancer_watch.h"
#include "controller/executor.h"
#include "controller/metric_watch.h"
#include "controller/operations.h"
#include "controller/schedule_zones.h"
#include "controller/service_policies.h"
#include "decide/autoscale/autoscaler.h"
#include "decide/autoscale/lead_time.h"
#include "decide/fleet/need.h"
#include "decide/placement/room.h"
#include "store/history.h"

namespace hive::controller {

struct AutoscalingOptions {
  std::string directory;  // of what was learned; empty = it is not kept
  std::string zoneinfo = "/usr/share/zoneinfo";
  Milliseconds save_every{300'000};
  // So long after it began to act a controller waits for agents that never reported to it.
  Milliseconds settle{30'000};
  // Services whose policy is new or changed, a step: reading policies and files takes time. The
  // rest follows in the next steps; a changed one goes on by its old policy until then.
  int taken_up_a_step = 10;
};

// By whom operations and history say that it was done.
inline constexpr const char* kAutoscalerName = "hive's autoscaler";

class Autoscaling {
 public:
  // The references must outlive it; the executor's jobs must have ended before it goes.
  Autoscaling(Outside outside, Operations& operations, const Clock& clock, store::History& history,
              Executor& executor, AutoscalingOptions options);

  // Where figures of the applications' own come from; before the first step. Without it there are
  // none.
  void attach(MetricWatch& metrics) { metrics_ = &metrics; }
  // Likewise what the cloud's balancer measures.
  void attach(BalancerWatch& balancer) { balancer_ = &balancer; }

  // A look that this controller made as leader. More than one within a second: all but the first
  // are passed over. `instance_lead_s`: how long a new worker takes, where workers follow what
  // replicas need; no more replicas are written then than nodes have room for, and the rest as
  // nodes join.
  void step(const World& world, std::optional<double> instance_lead_s = std::nullopt);
  // How many replicas those services shall have that a policy acts on, by id.
  decide::fleet::Wants wants() const;
  // This controller does not act (any more): what was learned is kept, the rest forgotten.
  void rest();
  // Keeps what was learned of all services, now.
  void save();

  // As the API tells it (docs/api.md), by name.
  Json list() const;
  // By id, name or a stack's short name. kNotFound.
  Result<Json> get(const std::string& service) const;

 private:
  struct Entry {
    std::string id;
    std::string name;
    std::string label;  // that the policy was read from
    decide::autoscale::Policy policy;
    std::vector<config::AutoscaleMetric> metrics;  // of its target
    std::vector<std::string> metric_troubles;      // likewise; why one is not known
    bool dry_run = false;
    ScheduleZones zones;
    std::unique_ptr<decide::autoscale::Autoscaler> rule;
    decide::autoscale::LeadTime lead;
    std::set<std::string> served;  // tasks that were seen to serve, while they are there
    bool new_here = true;          // its tasks' starts were not watched

    bool busy = false;            // a write is under way
    MonotonicTime settled_at{};   // when the last one ended: older looks do not show it
    int ordered = 0;              // by us; counts while looks do not show it
    int there = 0;                // ordered and written
    int promised = 0;             // decided, of which some wait for room; 0: none wait
    std::optional<int> expected;  // replicas at the last look or of our last write
    bool held_before = false;     // another operation had the service at the last look, or since
    MonotonicTime looked_at{};    // when that was
    std::string trouble;          // of the last write
    int would = 0;                // dry run: the number that would be ordered by now
    std::uint64_t real = 0;       // dry run: the number that `would` went out from

    MonotonicTime saved_at{};
    std::int64_t decided_unix_ms = 0;
    MonotonicTime decided_at{};
    int scaled_out = 0;  // times, since this controller acts
    int scaled_in = 0;
    std::string paused;  // why
    ServiceSignals signals;
    decide::autoscale::View view;
    decide::autoscale::Decision decision;
  };
  using Holders = std::map<std::string, OperationRecord>;
  using Released = std::map<std::string, MonotonicTime>;
  struct Sight {
    const World& world;
    const SignalBook& book;
    const Holders& holders;
    const Released& released;
    MonotonicTime now;
    std::int64_t second;
    decide::placement::Room* room;  // what is left on the nodes; null: workers do not follow
    double instance_lead_s;
  };

  // --- under the lock
  // Adds those services that are decided about (ids). False: there may be more of them.
  bool take_up(const World& world, std::set<std::string>& scaled);
  void take_up(const model::Service& service, const config::Autoscale& said);
  void read_policy(Entry& entry, const model::Service& service, const config::Autoscale& said);
  void restore(Entry& entry) const;
  void step_one(Entry& entry, const model::Service& service, const Sight& sight);
  bool noticed_hand(Entry& entry, const model::Service& service, const Sight& sight, bool held);
  void read_metrics(Entry& entry, const World& world, decide::autoscale::View& view);
  MetricSignal read_metric(const config::AutoscaleMetric& metric, const Entry& entry,
                           const World& world);
  void learn_lead(Entry& entry, const World& world);
  decide::autoscale::View view_of(Entry& entry, const model::Service& service, const Sight& sight,
                                  const OperationRecord* holder) const;
  int written(const Entry& entry, const model::Service& service, const Sight& sight,
              const OperationRecord* holder) const;
  void act(Entry& entry, const model::Service& service, const Sight& sight,
           const OperationRecord* holder);
  void imagine(Entry& entry);
  void grow(Entry& entry, const model::Service& service, const Sight& sight, int to);
  void write(Entry& entry, const model::Service& service, int to, const std::string& reason);
  void shrink(Entry& entry, const model::Service& service, int to);
  void call_off(Entry& entry, const OperationRecord& operation);
  void pause(Entry& entry, const model::Service& service, const std::string& why);
  void keep_learned(MonotonicTime now);
  void begin(Entry& entry, int ordered, std::function<Status()> job, std::function<void()> done);
  Json entry_json(const Entry& entry) const;
  std::vector<std::pair<std::string, AutoscaleStore::Kept>> learned() const;

  void note(const char* kind, const std::string& subject, const std::string& reason);
  std::int64_t unix_ms() const;

  Outside outside_;
  Operations& operations_;
  const Clock& clock_;
  store::History& history_;
  Executor& executor_;
  const AutoscalingOptions options_;
  const AutoscaleStore store_;
  MetricWatch* metrics_ = nullptr;
  BalancerWatch* balancer_ = nullptr;

  mutable std::mutex mutex_;
  PolicyReader policies_;
  std::map<std::string, Entry> entries_;            // by service id
  std::vector<MetricSource> asked_;                 // by this step
  std::set<cloud::BalancerFigure> asked_balancer_;  // likewise
  std::optional<MonotonicTime> acts_since_;
  std::optional<MonotonicTime> last_whole_;  // of the last step: its wall clock's whole second
  std::int64_t second_ = 0;
  bool saving_ = false;
};

}  // namespace hive::controller
