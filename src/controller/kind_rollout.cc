#include "controller/kind_rollout.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "controller/kind_base.h"
#include "controller/world_facts.h"

namespace hive::controller {

enum class RolloutPhase { kCanary, kRoll, kBack, kClear };

// What the operation keeps in Swarm. RolloutKind::Step has it, so it is not of this file alone.
struct RolloutState {
  RolloutPhase phase = RolloutPhase::kRoll;
  std::int64_t begun_ms = 0;
  std::int64_t phase_ms = 0;  // when the phase began
  std::uint64_t old_digest = 0;
  std::uint64_t new_digest = 0;  // 0 = not seen written yet
  std::int64_t write = 1;        // writes of the phase
  bool seen = false;             // the phase's write was seen
  decide::rollout::Memory memory;
  OperationOutcome outcome = OperationOutcome::kRunning;  // what it ends with, in kClear
  bool left = false;                                      // somebody else changed the service
  std::string reason;
};

namespace {

using decide::rollout::Decision;
using decide::rollout::Memory;
using decide::rollout::Sight;
using decide::rollout::Verb;
using model::Service;
using model::TaskState;

constexpr std::size_t kMaxKeys = 64;
constexpr std::int64_t kClearDeadlineMs = 300'000;
constexpr int kClearTries = 5;
constexpr std::int64_t kLongestMs = 24 * 3'600'000;

std::string_view to_string(RolloutPhase phase) {
  switch (phase) {
    case RolloutPhase::kCanary:
      return "canary";
    case RolloutPhase::kRoll:
      return "roll";
    case RolloutPhase::kBack:
      return "back";
    case RolloutPhase::kClear:
      return "clear";
  }
  return "";
}

RolloutPhase phase_from(std::string_view word) {
  for (const auto phase : {RolloutPhase::kCanary, RolloutPhase::kRoll, RolloutPhase::kBack})
    if (to_string(phase) == word) return phase;
  return RolloutPhase::kClear;
}

std::string hex(std::uint64_t number) { return fmt::format("{:016x}", number); }

std::uint64_t from_hex(const std::string& text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return out;
}

RolloutState state_from(const Json& json) {
  RolloutState out;
  out.phase = phase_from(json_string(json, "phase"));
  out.begun_ms = json_int(json, "begun");
  out.phase_ms = json_int(json, "phase_begun");
  out.old_digest = from_hex(json_string(json, "old"));
  out.new_digest = from_hex(json_string(json, "new"));
  out.write = json_int(json, "write", 1);
  out.seen = json_bool(json, "seen");
  out.memory.serving = static_cast<std::uint64_t>(json_int(json, "serving"));
  out.memory.progress_at_ms = json_int(json, "progress_at");
  out.memory.complete_at_ms = json_int(json, "complete_at");
  out.outcome = outcome_from(json_string(json, "outcome"));
  out.left = json_bool(json, "left");
  out.reason = json_string(json, "reason");
  return out;
}

Json to_json(const RolloutState& state) {
  return {{"phase", to_string(state.phase)},
          {"begun", state.begun_ms},
          {"phase_begun", state.phase_ms},
          {"old", hex(state.old_digest)},
          {"new", hex(state.new_digest)},
          {"write", state.write},
          {"seen", state.seen},
          {"serving", state.memory.serving},
          {"progress_at", state.memory.progress_at_ms},
          {"complete_at", state.memory.complete_at_ms},
          {"outcome", to_string(state.outcome)},
          {"left", state.left},
          {"reason", state.reason}};
}

const Service* find_service(const World& world, const std::string& word) {
  const auto& services = world.snapshot.services;
  if (const auto found = services.find(word); found != services.end()) return &found->second;
  for (const auto& [id, service] : services)
    if (service.name == word) return &service;
  return nullptr;
}

// The canary of the service, whoever made it.
const Service* find_canary(const World& world, const std::string& service_id) {
  for (const auto& [id, service] : world.snapshot.services)
    if (label_of(service, kCanaryOfLabel) == service_id) return &service;
  return nullptr;
}

Status check_canary(const RolloutRequest& request, const Json& asked) {
  if (request.canary_ms == 0) return {};
  if (request.canary_ms < 0 || request.canary_ms > kLongestMs)
    return fail(Errc::kInvalidArgument, "the time of a canary is more than nothing, at most 24h");
  if (request.canary_weight < 1 || request.canary_weight > 100)
    return fail(Errc::kInvalidArgument, "the canary's share of the requests is 1 to 100 percent");
  if (request.canary_replicas < 1 || request.canary_replicas > 1'000)
    return fail(Errc::kInvalidArgument, "a canary has 1 to 1000 replicas");
  if (json_member(asked, "canary_ms") == nullptr) return {};
  if (global(request.spec))
    return fail(Errc::kInvalidArgument, "service " + request.service_name +
                                            " is global, one task on each node: there is no place "
                                            "for a canary beside them");
  if (stop_first(request.spec))
    return fail(Errc::kInvalidArgument, "service " + request.service_name +
                                            " is updated stop-first, so it never has two instances "
                                            "of a task; a canary would be one");
  return {};
}

}  // namespace

// --- what is asked

std::string RolloutKind::keep_auth(const Json& request) const {
  const Json* auth = json_member(request, "auth");
  if (auth == nullptr || !auth->is_object()) return "";
  const std::lock_guard lock(mutex_);
  if (auth_.size() >= kMaxKeys) auth_.clear();
  std::string key = std::to_string(++keys_);
  auth_[key] = {json_string(*auth, "username"), json_string(*auth, "password"),
                json_string(*auth, "serveraddress"), json_string(*auth, "identitytoken")};
  return key;
}

engine::RegistryAuth RolloutKind::auth_of(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = auth_.find(key);
  return found == auth_.end() ? engine::RegistryAuth{} : found->second;
}

RolloutLedger& RolloutKind::ledger_of(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  return ledgers_[operation];
}

void RolloutKind::forget(const OperationRecord& record) const {
  const std::lock_guard lock(mutex_);
  auth_.erase(json_string(record.request, "auth_key"));
  ledgers_.erase(record.id);
  slower_since_ms_.erase(record.id);
  noted_.erase(record.id);
}

Result<Json> RolloutKind::check(const Json& asked, const World& world) const {
  RolloutRequest request = rollout_request(asked);
  const Service* service = find_service(world, request.service_id);
  if (service == nullptr) return fail(Errc::kNotFound, "there is no service " + request.service_id);
  if (!label_of(*service, kCanaryOfLabel).empty())
    return fail(Errc::kInvalidArgument,
                "service " + service->name + " is a canary; update the service that it is of");
  if (json_path(request.spec, "TaskTemplate.ContainerSpec") == nullptr)
    return fail(Errc::kInvalidArgument, "'spec' must be the service's whole new spec");
  request.service_id = service->id;
  request.service_name = service->name;
  Service read = *service;
  read.labels.clear();
  if (const Json* labels = json_member(request.spec, "Labels"); labels != nullptr)
    if (const Json* label = json_member(*labels, kHiveLabel);
        label != nullptr && label->is_string())
      read.labels[kHiveLabel] = label->get<std::string>();
  ServicePolicies policies;
  {
    const std::lock_guard lock(mutex_);
    policies = policies_.of(read);
  }
  apply_defaults(policies.rollout, asked, request);
  HIVE_TRY(check_canary(request, asked));
  if (request.start_timeout_ms <= 0 || request.start_timeout_ms > kLongestMs)
    return fail(Errc::kInvalidArgument, "start_timeout_ms is more than 0, at most a day");
  request.auth_key = keep_auth(asked);
  return rollout_json(request);
}

std::string RolloutKind::subject(const Json& request, const World& /*world*/) const {
  return json_string(request, "name");
}

std::vector<std::string> RolloutKind::claims(const OperationRecord& record) const {
  return {service_claim(json_string(record.request, "service"))};
}

// --- a step

class RolloutKind::Step {
 public:
  Step(const RolloutKind& kind, const OperationRecord& record, const OperationInput& input)
      : kind_(kind),
        record_(record),
        input_(input),
        world_(input.world),
        request_(rollout_request(record.request)) {
    const auto found = world_.snapshot.services.find(request_.service_id);
    service_ = found == world_.snapshot.services.end() ? nullptr : &found->second;
    canary_ = find_canary(world_, request_.service_id);
    if (record.state.is_null()) {
      state_.phase = request_.canary_ms > 0 ? RolloutPhase::kCanary : RolloutPhase::kRoll;
      state_.begun_ms = state_.phase_ms = world_.now_unix_ms;
      if (service_ != nullptr) state_.old_digest = service_->template_digest;
    } else {
      state_ = state_from(record.state);
      if (state_.phase == RolloutPhase::kRoll && state_.new_digest == 0 && marked(Way::kForward))
        state_.new_digest = service_->template_digest;
      clearing_ = state_.phase == RolloutPhase::kClear;
    }
  }

  OperationStep run() {
    if (state_.phase == RolloutPhase::kCanary || state_.phase == RolloutPhase::kRoll)
      kind_.ledger_of(record_.id).count(world_, versions());
    if (service_ == nullptr && state_.phase != RolloutPhase::kClear) {
      state_.left = true;
      end(OperationOutcome::kFailed, "service " + request_.service_name + " was removed");
    }
    if (state_.phase != RolloutPhase::kClear && refused()) return finish();
    switch (state_.phase) {
      case RolloutPhase::kCanary:
        canary();
        break;
      case RolloutPhase::kRoll:
        roll();
        break;
      case RolloutPhase::kBack:
        back();
        break;
      case RolloutPhase::kClear:
        break;
    }
    return finish();
  }

 private:
  OperationStep finish() {
    if (state_.phase == RolloutPhase::kClear) clear();
    if (state_.phase == RolloutPhase::kRoll)
      out_.await_replacement = needed_yet(world_, versions());
    if (state_.phase == RolloutPhase::kBack)
      out_.await_replacement = needed_yet(world_, way_back());
    out_.state = to_json(state_);
    return std::move(out_);
  }
  RolloutWrite write() const {
    return {request_, record_.id, record_.by, state_.write, kind_.auth_of(request_.auth_key)};
  }
  std::string mark(Way way) const { return rollout_mark(record_.id, way, state_.write); }
  bool marked(Way way) const {
    return service_ != nullptr && label_of(*service_, kRolloutLabel) == mark(way);
  }
  bool marked_by_us() const {
    return label_of(*service_, kRolloutLabel).starts_with(record_.id + ".");
  }
  void act(std::string what, std::string reason, std::function<Status(Outside&)> run) {
    out_.actions.push_back({std::move(what), std::move(reason), std::move(run)});
  }

  void enter(RolloutPhase phase) {
    state_.phase = phase;
    state_.phase_ms = world_.now_unix_ms;
    state_.write = 1;
    state_.seen = false;
    state_.memory = {};
  }

  // To the last phase. What is seen of the service there is not looked at any more.
  void end(OperationOutcome outcome, std::string reason) {
    enter(RolloutPhase::kClear);
    state_.outcome = outcome;
    state_.reason = std::move(reason);
  }

  void left_to_others() {
    state_.left = true;
    end(OperationOutcome::kFailed,
        "service " + request_.service_name +
            " was changed by somebody else in the middle; it is left as they made it");
  }

  // A write that cannot succeed: true when another way was taken.
  bool refused() {
    if (!input_.failure) return false;
    const auto& failure = *input_.failure;
    const bool passing = retryable(failure.error.code) || failure.error.code == Errc::kConflict;
    if (passing && failure.times < kMaxTries) return false;
    const bool back = state_.phase == RolloutPhase::kBack;
    if (failure.error.code == Errc::kFailedPrecondition) state_.left = true;
    if (state_.phase == RolloutPhase::kRoll && state_.seen && !state_.left)
      undo(failure_words());
    else
      end(OperationOutcome::kFailed,
          back ? state_.reason + "; going back failed: " + failure_words() : failure_words());
    return true;
  }
  std::string failure_words() const { return input_.failure->error.message; }
  static constexpr int kMaxTries = 15;

  RolloutVersions versions() const {
    RolloutVersions out;
    out.service_id = request_.service_id;
    if (canary_ != nullptr) out.canary_id = canary_->id;
    out.new_digest = state_.new_digest;
    out.begun_unix_ms = state_.begun_ms;
    return out;
  }

  RolloutVersions way_back() const {
    RolloutVersions out = versions();
    out.kept_digest = state_.old_digest;
    return out;
  }

  Decision decide(bool of_canary) {
    const auto& ledger = kind_.ledger_of(record_.id);
    Sight sight = rollout_sight(world_, versions(), of_canary);
    sight.old_version = ledger.old_version();
    sight.new_version = ledger.new_version();
    return with_memory([&](Memory& memory) {
      return decide::rollout::next(sight, rollout_policy(request_), memory);
    });
  }

  // Since when it is slow changes too often to be written down.
  template <typename Rule>
  Decision with_memory(const Rule& rule) {
    std::int64_t& slower = kind_.slower_since_ms_[record_.id];
    state_.memory.slower_since_ms = slower;
    Decision decision = rule(state_.memory);
    slower = state_.memory.slower_since_ms;
    out_.progress = {decision.done, decision.of, decision.reason};
    out_.look_again = kTasksLookAgain;
    return decision;
  }

  void begin_release() {
    act("note the release", request_.why.empty() ? "it was asked for" : request_.why,
        [what = write(), now = state_.begun_ms](Outside& outside) {
          return note_release(outside.engine, what, now);
        });
  }

  // --- phases

  void canary() {
    if (service_->template_digest != state_.old_digest) return left_to_others();
    const bool there = canary_ != nullptr && marked_canary();
    if (record_.cancelled)
      return end(OperationOutcome::kCancelled, "ended before the rollout, as was asked for");
    if (!there) {
      if (state_.seen)
        return end(OperationOutcome::kFailed, "the canary was removed by somebody else");
      out_.progress = {0, request_.canary_replicas, "starts the canary"};
      begin_release();
      return act(
          fmt::format("create the canary of {} with {} of the requests", request_.service_name,
                      std::to_string(request_.canary_weight) + "%"),
          "a new version is tried on a share of the requests first",
          [what = write()](Outside& outside) { return create_canary(outside.engine, what); });
    }
    state_.seen = true;
    const Decision decision = decide(true);
    if (decision.verb == Verb::kUndo) {
      out_.notes.push_back("the canary is taken back: " + decision.reason);
      return end(OperationOutcome::kFailed,
                 "undone: " + decision.reason + "; only the canary had the new version");
    }
    if (decision.verb != Verb::kPromote) return;
    out_.notes.push_back(decision.reason + "; the rest follows");
    enter(RolloutPhase::kRoll);
    write_new();
  }

  bool marked_canary() const {
    return label_of(*canary_, kRolloutLabel).starts_with(record_.id + ".");
  }

  void write_new() {
    if (request_.canary_ms == 0 && state_.write == 1) begin_release();
    out_.progress.doing = "writes the new spec";
    act("update service " + request_.service_name,
        request_.why.empty() ? "it was asked for" : request_.why,
        [what = write()](Outside& outside) { return write_forward(outside.engine, what); });
  }

  void roll() {
    if (!marked(Way::kForward)) {
      // Our own earlier write is there when another was to follow.
      const bool ours = marked_by_us();
      const bool changed = state_.seen || service_->template_digest != state_.old_digest;
      if (changed && !ours) return left_to_others();
      if (record_.cancelled && !ours)
        return end(OperationOutcome::kCancelled, "ended before the rollout, as was asked for");
      return write_new();
    }
    state_.seen = true;
    if (service_->template_digest != state_.new_digest) return left_to_others();
    if (record_.cancelled) return undo("it was asked to end");
    const Decision decision = decide(false);
    switch (decision.verb) {
      case Verb::kUndo:
        return undo(decision.reason);
      case Verb::kResume:
        ++state_.write;
        out_.notes.push_back(decision.reason + "; it goes on");
        return write_new();
      case Verb::kDone:
        return end(OperationOutcome::kSucceeded, decision.reason);
      default:
        return;
    }
  }

  void undo(const std::string& reason) {
    out_.notes.push_back("the new version is taken back: " + reason);
    enter(RolloutPhase::kBack);
    state_.reason = "undone: " + reason;
    write_old();
  }

  void write_old() {
    out_.progress.doing = "goes back to the version before";
    act("take service " + request_.service_name + " back to its last good release", state_.reason,
        [what = write()](Outside& outside) { return write_back(outside.engine, what); });
  }

  void back() {
    if (!marked(Way::kBack)) {
      if (state_.seen || !marked_by_us()) return left_to_others();
      return write_old();
    }
    state_.seen = true;
    if (service_->template_digest != state_.old_digest) return left_to_others();
    const Sight sight = rollout_sight(world_, way_back(), false);
    const Decision decision = with_memory([&](Memory& memory) {
      return decide::rollout::next_back(sight, rollout_policy(request_), memory);
    });
    const auto outcome =
        record_.cancelled ? OperationOutcome::kCancelled : OperationOutcome::kFailed;
    if (decision.verb == Verb::kDone) return end(outcome, state_.reason + "; " + decision.reason);
    if (decision.verb == Verb::kUndo)
      return end(outcome, state_.reason + "; it has not gone back yet: " + decision.reason);
    if (decision.verb != Verb::kResume) return;
    ++state_.write;
    write_old();
  }

  // --- the end

  bool canary_has_tasks() const {
    for (const auto& [id, task] : world_.snapshot.tasks)
      if (task.service_id == canary_->id && task.state <= TaskState::kRunning) return true;
    return false;
  }

  // True when the canary is gone.
  bool clear_canary() {
    if (canary_ == nullptr || !marked_canary()) return true;
    const bool late = world_.now_unix_ms - state_.phase_ms > kClearDeadlineMs;
    if (canary_->replicas > 0 && !late) {
      act("stop the canary", "its tasks finish their requests first",
          [id = canary_->id](Outside& outside) { return stop_canary(outside.engine, id); });
      return false;
    }
    if (canary_has_tasks() && !late) {
      out_.progress.doing = "waits until the canary's requests have ended";
      out_.look_again = kTasksLookAgain;
      return false;
    }
    act("remove the canary", late ? "its tasks did not end in time" : "it has no task left",
        [id = canary_->id](Outside& outside) -> Status {
          auto removed = outside.engine.remove_service(id);
          if (!removed && removed.error().code != Errc::kNotFound) return removed;
          return {};
        });
    return false;
  }

  bool noted() const {
    const std::lock_guard lock(kind_.mutex_);
    return kind_.noted_.contains(record_.id);
  }

  void note_end() {
    const bool good = state_.outcome == OperationOutcome::kSucceeded;
    act("note the outcome", state_.reason,
        [this_kind = &kind_, what = write(), good, left = state_.left, reason = state_.reason,
         now = world_.now_unix_ms](Outside& outside) -> Status {
          if (!left) HIVE_TRY(write_settled(outside.engine, what, good));
          HIVE_TRY(note_outcome(outside.engine, what,
                                good ? release::Outcome::kSucceeded : release::Outcome::kUndone,
                                reason, now));
          const std::lock_guard lock(this_kind->mutex_);
          this_kind->noted_.insert(what.operation);
          return {};
        });
  }

  void clear() {
    out_.progress.doing = "clears up";
    const bool gave_up =
        clearing_ && input_.failure &&
        (input_.failure->times >= kClearTries || !retryable(input_.failure->error.code));
    if (!noted() && !gave_up) note_end();
    const bool gone = clear_canary();
    if (gave_up) {
      out_.actions.clear();
      state_.reason += "; clearing up failed: " + failure_words();
    } else if (!gone || !noted()) {
      return;
    }
    out_.outcome = state_.outcome;
    out_.result = state_.reason;
    kind_.forget(record_);
  }

  const RolloutKind& kind_;
  const OperationRecord& record_;
  const OperationInput& input_;
  const World& world_;
  const RolloutRequest request_;
  const Service* service_ = nullptr;
  const Service* canary_ = nullptr;
  RolloutState state_;
  bool clearing_ = false;  // it was the last phase already
  OperationStep out_;
};

OperationStep RolloutKind::step(const OperationRecord& record, const OperationInput& input) const {
  return Step(*this, record, input).run();
}

}  // namespace hive::controller
