#include "controller/operations.h"

#include <algorithm>
#include <tuple>

#include "base/backoff.h"
#include "base/log.h"
#include "controller/operation_record.h"
#include "os/secret.h"

namespace hive::controller {
namespace {

constexpr const char* kOperationsComponent = "operations";
constexpr Milliseconds kFirstPause{200};
constexpr int kCancelAttempts = 5;
constexpr std::chrono::minutes kReleasesKept{5};  // longer than any look is old

// Trying again may help: also after a stale version, once it was read anew.
bool may_pass(Errc code) { return retryable(code) || code == Errc::kConflict; }

}  // namespace

Operations::Operations(Outside outside, const Clock& clock, store::History& history,
                       Executor& executor, std::vector<std::unique_ptr<OperationKind>> kinds,
                       Random random, OperationOptions options)
    : outside_(std::move(outside)),
      clock_(clock),
      history_(history),
      executor_(executor),
      kinds_(std::move(kinds)),
      options_(options),
      random_(random) {}

std::int64_t Operations::unix_now() const {
  return std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch()).count();
}

void Operations::note(std::string kind, const OperationRecord& record, std::string reason) {
  history_.append({0, unix_now(), std::move(kind), record.subject, std::move(reason)});
}

const OperationKind* Operations::kind_of(const std::string& name) const {
  for (const auto& kind : kinds_)
    if (kind->name() == name) return kind.get();
  return nullptr;
}

// --- the leader's loop

Result<std::vector<OperationRecord>> Operations::read() {
  HIVE_ASSIGN(const auto configs, outside_.engine.list_configs({{"name", {kOperationPrefix}}}));
  std::vector<OperationRecord> out;
  for (const Json& config : configs) {
    auto record = operation_from_config(config);
    if (record)
      out.push_back(std::move(*record));
    else
      log::warn(kOperationsComponent, "{}", describe(record.error()));
  }
  return out;
}

void Operations::step(std::shared_ptr<const World> world, std::vector<OperationRecord> records) {
  const std::lock_guard lock(mutex_);
  world_ = std::move(world);
  take(*world_, std::move(records));
  auto claimed = claims();
  std::vector<Entry*> order;
  for (auto& [id, entry] : entries_) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return std::tie(a->record.created_unix_ms, a->record.id) <
           std::tie(b->record.created_unix_ms, b->record.id);
  });
  for (Entry* entry : order) step_one(*entry, *world_, claimed);
  retire(*world_);
  propose(*world_);
}

void Operations::rest() {
  const std::lock_guard lock(mutex_);
  world_.reset();
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.busy; });
}

// --- under the lock

void Operations::take(const World& world, std::vector<OperationRecord> records) {
  const auto taken_at = world.snapshot.taken_at;
  std::set<std::string> listed;
  for (auto& record : records) {
    listed.insert(record.id);
    Entry& entry = entries_[record.id];
    if (entry.busy || entry.settled_at > taken_at) continue;
    entry.record = std::move(record);
  }
  std::erase_if(entries_, [&](const auto& entry) {
    return !entry.second.busy && entry.second.settled_at <= taken_at &&
           !listed.contains(entry.first);
  });
}

std::vector<std::string> Operations::claims_of(const OperationRecord& record) const {
  const auto* kind = active(record) ? kind_of(record.kind) : nullptr;
  return kind == nullptr ? std::vector<std::string>() : kind->claims(record);
}

std::map<std::string, std::string> Operations::claims() const {
  std::map<std::string, std::string> out;
  for (const auto& [id, entry] : entries_)
    for (const auto& claim : claims_of(entry.record)) out.emplace(claim, id);
  return out;
}

bool Operations::under_way(std::string_view kind) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return active(entry.second.record) && entry.second.record.kind == kind;
  });
}

void Operations::step_one(Entry& entry, const World& world,
                          std::map<std::string, std::string>& claimed) {
  if (!active(entry.record) || entry.busy || entry.settled_at > world.snapshot.taken_at ||
      clock_.now() < entry.not_before)
    return;
  const OperationKind* kind = kind_of(entry.record.kind);
  if (kind == nullptr) {
    entry.progress.doing = "this controller does not know operations of this kind";
    return;
  }
  const std::string& id = entry.record.id;
  const OperationInput input{world, entry.failure,
                             [&](const std::string& claim) {
                               const auto found = claimed.find(claim);
                               return found == claimed.end() || found->second == id ? std::string()
                                                                                    : found->second;
                             },
                             [&](std::string_view wanted) { return under_way(wanted); }};
  OperationStep step = kind->step(entry.record, input);
  if (!give_up(entry, step) && step.actions.empty()) entry.failure.reset();
  entry.progress = step.progress;
  entry.look_again = step.look_again;
  Job job{entry.record, std::move(step), false};
  job.next.state = job.step.state;
  job.next.outcome = job.step.outcome;
  job.next.result = job.step.result;
  if (!active(job.next)) job.next.finished_unix_ms = unix_now();
  job.write = job.next.state != entry.record.state || !active(job.next);
  for (const auto& claim : kind->claims(job.next)) claimed.emplace(claim, id);
  if (!job.write && job.step.actions.empty()) {
    entry.stops = std::move(job.step.stops);
    entry.await_replacement = std::move(job.step.await_replacement);
    entry.pulls = std::move(job.step.pulls);
    return;
  }
  entry.busy = true;
  executor_.submit([this, job = std::move(job)]() mutable { run(std::move(job)); });
}

// What fails for ever must end: the bound of every retry loop.
bool Operations::give_up(const Entry& entry, OperationStep& step) const {
  if (!entry.failure || step.actions.empty() || step.outcome != OperationOutcome::kRunning)
    return false;
  const auto& failure = *entry.failure;
  const int bound = may_pass(failure.error.code) ? kMaxFailures : kMaxFinalFailures;
  if (failure.times < bound) return false;
  step.actions.clear();
  step.stops.clear();
  step.outcome = OperationOutcome::kFailed;
  step.result = "gave up after " + std::to_string(failure.times) + " tries to " + failure.what +
                ": " + failure.error.message;
  return true;
}

void Operations::retire(const World& world) {
  std::vector<std::pair<std::int64_t, std::string>> finished;
  for (const auto& [id, entry] : entries_)
    if (!active(entry.record) && !entry.busy)
      finished.emplace_back(entry.record.finished_unix_ms, id);
  std::sort(finished.begin(), finished.end());
  const std::size_t over =
      finished.size() > options_.max_finished ? finished.size() - options_.max_finished : 0;
  for (std::size_t i = 0; i < finished.size(); ++i) {
    const auto& [at, id] = finished[i];
    if (i >= over && world.now_unix_ms - at < options_.keep_finished.count()) continue;
    Entry& entry = entries_[id];
    entry.busy = true;
    executor_.submit([this, id = id, config = entry.record.config_id] {
      const auto removed = outside_.engine.remove_config(config);
      if (!removed && removed.error().code != Errc::kNotFound)
        log::warn(kOperationsComponent, "removing {}{}: {}", kOperationPrefix, id,
                  describe(removed.error()));
      const std::lock_guard lock(mutex_);
      const auto found = entries_.find(id);
      if (found == entries_.end()) return;
      found->second.busy = false;
      found->second.settled_at = clock_.now();
    });
  }
}

void Operations::propose(const World& world) {
  std::vector<OperationRecord> known;
  for (const auto& [id, entry] : entries_) known.push_back(entry.record);
  for (const auto& kind : kinds_) {
    for (auto& request : kind->propose(world, known)) {
      if (entries_.contains(request.id) || !proposed_.insert(request.id).second) continue;
      executor_.submit([this, request = std::move(request)] {
        const auto created = create(request);
        if (!created)
          log::warn(kOperationsComponent, "{} {}: {}", request.kind, request.id,
                    describe(created.error()));
        const std::lock_guard lock(mutex_);
        proposed_.erase(request.id);
      });
    }
  }
}

// --- jobs

void Operations::run(Job job) {
  std::optional<OperationFailure> failure;
  bool written = true;
  if (job.write) {
    const auto done = config_spec_of(job.next).and_then([&](const Json& spec) {
      return outside_.engine.update_config(job.next.config_id, job.next.version, spec);
    });
    if (!done) {
      written = false;
      failure = OperationFailure{done.error(), "write down its state"};
    }
  }
  if (written) {
    for (const auto& text : job.step.notes) note(job.next.kind, job.next, text);
    failure = act(job);
  }
  settle(job, written, std::move(failure));
  if (news_) news_();
}

std::optional<OperationFailure> Operations::act(Job& job) {
  Outside outside = outside_;
  outside.tell = [&](const std::string& text) { note(job.next.kind, job.next, text); };
  for (auto& action : job.step.actions) {
    const auto done = action.run(outside);
    if (!done) return OperationFailure{done.error(), action.what};
    note(job.next.kind, job.next, action.what + ": " + action.reason);
  }
  return std::nullopt;
}

void Operations::settle(const Job& job, bool written, std::optional<OperationFailure> failure) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(job.next.id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.busy = false;
  entry.settled_at = clock_.now();
  if (written) {
    for (const auto& claim : claims_of(entry.record)) released_[claim] = entry.settled_at;
    for (const auto& claim : claims_of(job.next)) released_.erase(claim);
    std::erase_if(released_,
                  [&](const auto& one) { return entry.settled_at - one.second > kReleasesKept; });
    entry.record = job.next;
    entry.stops = job.step.stops;
    entry.await_replacement = job.step.await_replacement;
    entry.pulls = job.step.pulls;
    if (!active(job.next))
      note(job.next.kind + "_" + std::string(to_string(job.next.outcome)), job.next,
           job.next.result + " (took " +
               took(job.next.finished_unix_ms - job.next.created_unix_ms) + ")");
  }
  if (!failure) {
    entry.failure.reset();
    entry.not_before = {};
    return;
  }
  failure->times = entry.failure ? entry.failure->times + 1 : 1;
  log::warn(kOperationsComponent, "{} of {}: {}: {}", job.next.kind, job.next.subject,
            failure->what, describe(failure->error));
  // A stale version only needs to be read anew.
  const bool at_once = failure->error.code == Errc::kConflict && failure->times < 3;
  const auto pause = std::min<Milliseconds>(options_.longest_pause,
                                            kFirstPause * (1 << std::min(failure->times, 10)));
  entry.not_before = clock_.now();
  if (!at_once)
    entry.not_before += Milliseconds(
        static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(pause.count()) + 1)));
  entry.failure = std::move(failure);
}

// --- what the controller tells agents

std::vector<model::StopRequest> Operations::stops() const {
  const std::lock_guard lock(mutex_);
  std::vector<model::StopRequest> out;
  std::set<std::string> seen;
  for (const auto& [id, entry] : entries_)
    if (active(entry.record))
      for (const auto& stop : entry.stops)
        if (seen.insert(stop.task_id).second) {
          out.push_back(stop);
          out.back().by += ", asked for by " + entry.record.by;
        }
  return out;
}

std::set<std::string> Operations::awaiting_replacement() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& [id, entry] : entries_)
    if (active(entry.record))
      out.insert(entry.await_replacement.begin(), entry.await_replacement.end());
  return out;
}

std::map<std::string, std::set<std::string>> Operations::pulls() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::set<std::string>> out;
  for (const auto& [id, entry] : entries_)
    if (active(entry.record))
      for (const auto& [node, images] : entry.pulls) out[node].insert(images.begin(), images.end());
  return out;
}

std::optional<Milliseconds> Operations::look_again() const {
  const std::lock_guard lock(mutex_);
  std::optional<Milliseconds> out;
  for (const auto& [id, entry] : entries_)
    if (active(entry.record) && entry.look_again)
      out = out ? std::min(*out, *entry.look_again) : *entry.look_again;
  return out;
}

bool Operations::any_active() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& entry) { return active(entry.second.record); });
}

std::map<std::string, OperationRecord> Operations::holders() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, OperationRecord> out;
  for (const auto& [claim, id] : claims()) out.emplace(claim, entries_.at(id).record);
  return out;
}

std::map<std::string, MonotonicTime> Operations::released() const {
  const std::lock_guard lock(mutex_);
  return released_;
}

std::vector<OperationRecord> Operations::records() const {
  const std::lock_guard lock(mutex_);
  std::vector<OperationRecord> out;
  for (const auto& [id, entry] : entries_) out.push_back(entry.record);
  return out;
}

// --- the API

Json Operations::as_json(const Entry& entry) const {
  std::string trouble;
  if (entry.failure)
    trouble = "could not " + entry.failure->what + ": " + entry.failure->error.message;
  return operation_json(entry.record, entry.progress, trouble, unix_now());
}

// Checks a request and makes its record; nothing is written yet. Under the lock.
Result<OperationRecord> Operations::admit(const OperationRequest& request) {
  const OperationKind* kind = kind_of(request.kind);
  if (kind == nullptr)
    return fail(Errc::kInvalidArgument, "there is no operation '" + request.kind + "'");
  const auto running = std::count_if(entries_.begin(), entries_.end(),
                                     [](const auto& entry) { return active(entry.second.record); });
  if (static_cast<std::size_t>(running) >= options_.max_active)
    return fail(Errc::kResourceExhausted, std::to_string(running) +
                                              " operations are under way, no more are taken; "
                                              "wait for some to end, or cancel one");
  OperationRecord record;
  record.id = request.id;
  record.kind = request.kind;
  record.by = request.by;
  HIVE_ASSIGN(record.request, kind->check(request.request, *world_));
  record.subject = kind->subject(record.request, *world_);
  record.created_unix_ms = unix_now();
  const auto claimed = claims();
  for (const auto& claim : kind->claims(record)) {
    const auto held = claimed.find(claim);
    if (held == claimed.end()) continue;
    const auto& other = entries_.at(held->second).record;
    if (!json_bool(request.request, "autoscaler")) yield(other);
    return fail(Errc::kConflict, other.kind + " of " + other.subject + " (operation " + other.id +
                                     ") is under way there; wait for it, or cancel it");
  }
  return record;
}

// The autoscaler's own gives way to whoever asks next: it decides anew.
void Operations::yield(const OperationRecord& holder) {
  if (!json_bool(holder.request, "autoscaler") || holder.cancelled) return;
  executor_.submit([this, id = holder.id] {
    if (const auto done = cancel(id); !done)
      log::debug(kOperationsComponent, "{}: {}", id, describe(done.error()));
  });
}

Result<Operations::Created> Operations::create(const OperationRequest& asked) {
  OperationRequest request = asked;
  if (request.id.empty()) {
    HIVE_ASSIGN(request.id, os::random_hex(8));
  }
  HIVE_TRY(check_operation_id(request.id));
  Json spec;
  {
    const std::lock_guard lock(mutex_);
    if (!world_)
      return fail(Errc::kUnavailable, "this controller has not looked at its swarm as leader yet");
    const auto known = entries_.find(request.id);
    if (known != entries_.end()) return Created{as_json(known->second), true};
    HIVE_ASSIGN(OperationRecord record, admit(request));
    HIVE_ASSIGN(spec, config_spec_of(record));
    Entry& entry = entries_[request.id];
    entry.record = std::move(record);
    entry.busy = true;  // reserves its claims until it is written
  }
  auto written = outside_.engine.create_config(spec);
  Created out;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[request.id];
    entry.busy = false;
    entry.settled_at = clock_.now();
    if (!written) {
      Json known = as_json(entry);
      entries_.erase(request.id);
      // Written by a leader before us: the next look brings it.
      if (written.error().code == Errc::kAlreadyExists) return Created{std::move(known), true};
      return annotate(written.error(), "writing the operation down");
    }
    entry.record.config_id = *written;
    note(request.kind + "_begun", entry.record, "asked for by " + entry.record.by);
    out.operation = as_json(entry);
  }
  if (news_) news_();
  return out;
}

Json Operations::list() const {
  const std::lock_guard lock(mutex_);
  Json out = Json::array();
  for (const auto& [id, entry] : entries_) out.push_back(as_json(entry));
  return out;
}

Result<Json> Operations::get(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return fail(Errc::kNotFound, "there is no operation " + id);
  return as_json(found->second);
}

Result<Json> Operations::cancel(const std::string& id) {
  HIVE_TRY(check_operation_id(id));
  for (int attempt = 0;; ++attempt) {
    HIVE_ASSIGN(const auto configs,
                outside_.engine.list_configs({{"name", {kOperationPrefix + id}}}));
    const auto found = std::find_if(configs.begin(), configs.end(), [&](const Json& config) {
      return json_string(config, "Spec.Name") == kOperationPrefix + id;
    });
    if (found == configs.end()) return fail(Errc::kNotFound, "there is no operation " + id);
    HIVE_ASSIGN(OperationRecord record, operation_from_config(*found));
    if (!active(record))
      return fail(
          Errc::kFailedPrecondition,
          "operation " + id + " has " + std::string(to_string(record.outcome)) + " already");
    record.cancelled = true;
    HIVE_ASSIGN(const Json spec, config_spec_of(record));
    const auto done = outside_.engine.update_config(record.config_id, record.version, spec);
    if (!done && (done.error().code != Errc::kConflict || attempt + 1 >= kCancelAttempts))
      return tl::unexpected(done.error());
    if (!done) continue;
    note(record.kind + "_cancel", record, "it was asked to end");
    if (news_) news_();
    return operation_json(record, {}, "", unix_now());
  }
}

}  // namespace hive::controller
