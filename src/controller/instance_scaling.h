// Workers follow what replicas need, where the cluster's file gives them bounds (x-hive.workers):
// the rule (decide/fleet/rule.h) says how many there shall be, and operations make them
// (instance_launch; workers_grow where the cloud names its machines itself) and let them go
// (instance_terminate: emptied by the surge drain first). So both survive the death of a
// controller, and whoever asks for the same node goes first.
//
// Nothing is begun during a rollout, nor for a minute after a start that failed; nothing is ended
// while any other operation is under way. What is there is counted from the cloud's own list and
// the operations, never from memory.
//
// Public members may be called from any thread, step() and rest() by one at a time. Operations are
// begun on the executor; a step makes no call that blocks.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "controller/executor.h"
#include "controller/fleet_sight.h"
#include "controller/operations.h"
#include "decide/autoscale/lead_time.h"
#include "decide/fleet/rule.h"
#include "store/history.h"

namespace hive::controller {

class InstanceScaling {
 public:
  // The references must outlive it; the executor's jobs must have ended before it goes.
  InstanceScaling(Operations& operations, const Clock& clock, store::History& history,
                  Executor& executor)
      : operations_(operations), clock_(clock), history_(history), executor_(executor) {}

  // A look that this controller made as leader, and what autoscaled services shall have; the others
  // shall have what is written.
  void step(const World& world, const decide::fleet::Wants& autoscaled);
  // This controller does not act (any more).
  void rest();

  // How long it takes here from asking for an instance to a ready node; nothing where instances do
  // not follow (no bounds, or the cloud is silent).
  std::optional<double> lead_s(const World& world) const;
  // As the API tells it (docs/api.md).
  Json state() const;

 private:
  struct Moves {  // operations of the fleet that are under way
    const OperationRecord* leaving = nullptr;
    std::string rollout;  // a sentence; empty: none
    std::string other;    // any other operation, likewise
  };
  // What a decision was made of.
  struct Scene {
    const World& world;
    const std::vector<OperationRecord>& records;
    Moves moves;
    FleetSight fleet;
    std::vector<Replacement> replacements;
  };
  Moves moves_of(const World& world, const std::vector<OperationRecord>& records) const;
  void learn(const World& world, const std::vector<OperationRecord>& records);
  decide::fleet::Wants wants_of(const World& world, const decide::fleet::Wants& autoscaled) const;
  std::string frozen(const Scene& scene) const;
  decide::fleet::FleetView view_of(const Scene& scene, const decide::fleet::Wants& wants);
  void tell(const Scene& scene, const decide::fleet::FleetView& view,
            const decide::fleet::FleetDecision& decision);
  void act(const Scene& scene, const decide::fleet::FleetDecision& decision);
  void start(const Scene& scene, const decide::fleet::FleetDecision& decision);
  std::vector<OperationRequest> starts(const Scene& scene, int count,
                                       const decide::fleet::FleetDecision& decision) const;
  void end(const Scene& scene, const decide::fleet::FleetDecision& decision);
  void submit(std::function<Status()> job, std::string kind, std::string reason);
  void note(const char* kind, const std::string& reason);

  Operations& operations_;
  const Clock& clock_;
  store::History& history_;
  Executor& executor_;

  mutable std::mutex mutex_;
  decide::fleet::FleetRule rule_;
  decide::autoscale::LeadTime lead_;
  std::set<std::string> learned_;  // starts whose time was taken, by operation and instance
  std::string failed_;             // why the last start failed, while that counts
  std::string called_off_;         // the operation that was
  bool busy_ = false;
  MonotonicTime settled_at_{};
  std::string trouble_;  // of the last job
  Json state_;
};

}  // namespace hive::controller
