// Operation "rollout": a service's new spec, with a canary before it when asked for, supervised by
// decide/rollout, and taken back by itself when it is bad. `hive service update` and `hive service
// rollback` are such ones (docs/rollouts.md).
//
// Phases, each found anew from what is there: a service of the canary (canary), Swarm's updater on
// the new spec (roll), the same on the last good release (back), and the clearing away of the
// canary and of what the rollout changed about how updates go (clear). Whoever changes the
// service's tasks otherwise in the middle is not fought with: the rollout ends and says so.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "controller/operation.h"
#include "controller/rollout_actions.h"
#include "controller/rollout_sight.h"
#include "controller/service_policies.h"

namespace hive::controller {

class RolloutKind final : public OperationKind {
 public:
  std::string_view name() const override { return "rollout"; }
  Result<Json> check(const Json& request, const World& world) const override;
  std::string subject(const Json& request, const World& world) const override;
  std::vector<std::string> claims(const OperationRecord& record) const override;
  OperationStep step(const OperationRecord& record, const OperationInput& input) const override;

 private:
  class Step;

  engine::RegistryAuth auth_of(const std::string& key) const;
  std::string keep_auth(const Json& request) const;
  RolloutLedger& ledger_of(const std::string& operation) const;
  void forget(const OperationRecord& record) const;

  // Nothing here is needed to go on: credentials are, until the first write, better than those
  // that the service has; figures are counted anew; outcomes are noted once more.
  mutable std::mutex mutex_;
  mutable std::map<std::string, engine::RegistryAuth> auth_;  // by key
  mutable std::uint64_t keys_ = 0;
  mutable std::map<std::string, RolloutLedger> ledgers_;  // by operation
  mutable std::map<std::string, std::int64_t> slower_since_ms_;
  mutable std::set<std::string> noted_;  // operations whose outcome is noted
  mutable PolicyReader policies_;
};

}  // namespace hive::controller
