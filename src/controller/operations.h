// The operations under way: read from Swarm, stepped by the leader after each look, acted out on
// threads of their own. What an operation is and how a kind is added: operation.h.
//
// Threading: every public member may be called from any thread; step() and rest() by one. Engine
// calls are never made under the lock.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "controller/executor.h"
#include "controller/operation.h"
#include "store/history.h"

namespace hive::controller {

struct OperationOptions {
  std::size_t max_active = 64;    // one more is refused
  std::size_t max_finished = 64;  // the oldest beyond go at once
  Milliseconds keep_finished{600'000};
  Milliseconds longest_pause{5'000};  // between tries of what failed
};

class Operations {
 public:
  static constexpr int kMaxFailures = 20;      // in a row, of what may succeed later
  static constexpr int kMaxFinalFailures = 3;  // in a row, of what can not

  // The references must outlive it; the executor's jobs must have ended before it goes.
  Operations(Outside outside, const Clock& clock, store::History& history, Executor& executor,
             std::vector<std::unique_ptr<OperationKind>> kinds, Random random,
             OperationOptions options = {});

  // Called after each job, from its thread: it is time to look again.
  void on_news(std::function<void()> news) { news_ = std::move(news); }

  // --- the leader's loop
  // The records, as part of a look. Those that do not parse are left out, with a warning.
  Result<std::vector<OperationRecord>> read();
  // `records` were read in the look that `world` is made of.
  void step(std::shared_ptr<const World> world, std::vector<OperationRecord> records);
  // This controller does not lead (any more): forgets everything but what runs.
  void rest();

  std::vector<model::StopRequest> stops() const;
  std::set<std::string> awaiting_replacement() const;          // task ids
  std::map<std::string, std::set<std::string>> pulls() const;  // images by node
  std::optional<Milliseconds> look_again() const;
  bool any_active() const;
  // All that are known here, those that ended lately too.
  std::vector<OperationRecord> records() const;
  // Active operations by what they hold ("service:ID").
  std::map<std::string, OperationRecord> holders() const;
  // When each of these was let go last, in the last minutes: an operation may have begun and ended
  // between two looks.
  std::map<std::string, MonotonicTime> released() const;

  // --- the API, on the leader
  // The operation as JSON; `existed` tells that one of this id was there already. Returns when its
  // intent is written. kConflict when what it needs is held by another operation.
  struct Created {
    Json operation;
    bool existed = false;
  };
  Result<Created> create(const OperationRequest& request);
  Json list() const;
  Result<Json> get(const std::string& id) const;
  // Asks it to end; it says itself how. Idempotent; kFailedPrecondition when it has ended.
  Result<Json> cancel(const std::string& id);

 private:
  struct Entry {
    OperationRecord record;
    OperationProgress progress;
    bool busy = false;           // a job is under way
    MonotonicTime settled_at{};  // when the last one ended: older looks do not count
    MonotonicTime not_before{};
    std::optional<OperationFailure> failure;
    std::vector<model::StopRequest> stops;
    std::vector<std::string> await_replacement;
    std::map<std::string, std::vector<std::string>> pulls;
    std::optional<Milliseconds> look_again;
  };
  struct Job {
    OperationRecord next;
    OperationStep step;
    bool write = false;  // the state changed
  };

  const OperationKind* kind_of(const std::string& name) const;
  Json as_json(const Entry& entry) const;
  Result<OperationRecord> admit(const OperationRequest& request);
  void take(const World& world, std::vector<OperationRecord> records);
  std::vector<std::string> claims_of(const OperationRecord& record) const;
  std::map<std::string, std::string> claims() const;
  bool under_way(std::string_view kind) const;
  void yield(const OperationRecord& holder);
  void step_one(Entry& entry, const World& world, std::map<std::string, std::string>& claimed);
  bool give_up(const Entry& entry, OperationStep& step) const;
  void retire(const World& world);
  void propose(const World& world);
  void run(Job job);
  std::optional<OperationFailure> act(Job& job);
  void settle(const Job& job, bool written, std::optional<OperationFailure> failure);
  void note(std::string kind, const OperationRecord& record, std::string reason);
  std::int64_t unix_now() const;

  Outside outside_;
  const Clock& clock_;
  store::History& history_;
  Executor& executor_;
  const std::vector<std::unique_ptr<OperationKind>> kinds_;
  const OperationOptions options_;
  std::function<void()> news_;

  mutable std::mutex mutex_;
  Random random_;
  std::shared_ptr<const World> world_;  // of the last step; null while resting
  std::map<std::string, Entry> entries_;
  std::set<std::string> proposed_;                 // ids that are being created
  std::map<std::string, MonotonicTime> released_;  // by claim
};

}  // namespace hive::controller
