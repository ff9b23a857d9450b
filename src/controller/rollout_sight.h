// What a rollout's rule sees: the tasks of both versions, and what the edges counted for each since
// both serve. The counting is kept in memory alone: a controller that takes over counts anew.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "controller/operation.h"
#include "decide/rollout/supervisor.h"

namespace hive::controller {

// Which tasks are of which version.
struct RolloutVersions {
  std::string service_id;
  std::string canary_id;           // empty = no canary
  std::uint64_t new_digest = 0;    // 0 = not written yet: all of the service's tasks are old
  std::uint64_t kept_digest = 0;   // on the way back: all others count as new
  std::int64_t begun_unix_ms = 0;  // failures before it say nothing
};

// Requests by version, from figures that only rise for each task at each edge.
class RolloutLedger {
 public:
  void count(const World& world, const RolloutVersions& versions);
  // Over the time in which both versions served; of the old one since the begin while too few
  // requests came in that time.
  decide::rollout::VersionStats old_version() const;
  decide::rollout::VersionStats new_version() const { return new_; }

 private:
  struct Seen {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
  };
  std::map<std::pair<std::string, std::string>, Seen> seen_;  // by node and task
  decide::rollout::VersionStats old_;                         // since the begin
  decide::rollout::VersionStats beside_;  // the old one, while the new one serves
  decide::rollout::VersionStats new_;
};

bool is_new_task(const RolloutVersions& versions, const model::Task& task);

// The tasks of the service, or of its canary; without the figures.
decide::rollout::Sight rollout_sight(const World& world, const RolloutVersions& versions,
                                     bool canary);

// Tasks that were told to go while fewer serve than the service wants: they stay until others do,
// whatever Swarm's updater is at (a new leader of Swarm's takes up an update by telling the old
// task of a slot to go as soon as the new one is planned; a paused update plans no other). None of
// a service that stops first, whose others come only afterwards; on the way back, none of the
// version that is bad.
std::vector<std::string> needed_yet(const World& world, const RolloutVersions& versions);

}  // namespace hive::controller
