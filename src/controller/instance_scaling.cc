#include "controller/instance_scaling.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "controller/autoscaling.h"
#include "controller/drain_part.h"
#include "controller/instance_launch_kind.h"
#include "controller/world_facts.h"
#include "decide/fleet/room.h"

namespace hive::controller {
namespace {

namespace fleet = decide::fleet;

constexpr const char* kComponent = "instances";
constexpr const char* kSubject = "workers";
constexpr const char* kTerminate = "instance_terminate";
constexpr std::int64_t kPauseAfterFailureMs = 60'000;
constexpr int kMostAtOnce = 16;
constexpr double kMsPerSecond = 1e3;

bool active(const OperationRecord& record) { return record.outcome == OperationOutcome::kRunning; }

bool by_autoscaler(const OperationRecord& record) {
  return json_bool(record.request, "autoscaler");
}

bool follows(const World& world) {
  return world.settings.workers.max > world.settings.workers.min && world.cloud.has_value();
}

std::vector<fleet::Worker> workers_of(const World& world) {
  std::vector<fleet::Worker> out;
  for (const auto& instance : world.cloud->instances) {
    if (instance.role != "worker" || instance.state == cloud::InstanceState::kTerminated) continue;
    fleet::Worker worker{instance.id, instance.hostname, "", false, instance.launched_unix_ms};
    for (const auto& [id, node] : world.snapshot.nodes) {
      if (instance_of(world, node) != &instance) continue;
      // Somebody made it a manager: then it is one.
      if (node.role == model::Role::kManager) continue;
      worker.node_id = id;
      worker.serves = node.state == model::NodeState::kReady &&
                      node.availability == model::Availability::kActive;
    }
    out.push_back(std::move(worker));
  }
  return out;
}

bool node_ready(const World& world, const std::string& hostname) {
  return std::any_of(
      world.snapshot.nodes.begin(), world.snapshot.nodes.end(), [&](const auto& entry) {
        return entry.second.hostname == hostname && entry.second.state == model::NodeState::kReady;
      });
}

}  // namespace

void InstanceScaling::note(const char* kind, const std::string& reason) {
  const auto now = std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch());
  history_.append({0, now.count(), kind, kSubject, reason});
}

std::optional<double> InstanceScaling::lead_s(const World& world) const {
  const std::lock_guard lock(mutex_);
  if (!follows(world)) return std::nullopt;
  return lead_.seconds();
}

Json InstanceScaling::state() const {
  const std::lock_guard lock(mutex_);
  return state_.is_null() ? Json{{"follow", false}} : state_;
}

void InstanceScaling::rest() {
  const std::lock_guard lock(mutex_);
  rule_.forget();
  state_ = Json();
}

// How long starts took, and whether the last one failed.
void InstanceScaling::learn(const World& world, const std::vector<OperationRecord>& records) {
  std::set<std::string> known;
  std::int64_t newest = 0;
  for (const auto& record : records) {
    if (record.kind != kInstanceLaunch || active(record)) continue;
    known.insert(record.id);
    if (record.outcome == OperationOutcome::kSucceeded && !learned_.contains(record.id))
      lead_.saw(static_cast<double>(record.finished_unix_ms - record.created_unix_ms) /
                kMsPerSecond);
    if (record.finished_unix_ms < newest) continue;
    newest = record.finished_unix_ms;
    const bool counts = record.outcome == OperationOutcome::kFailed &&
                        world.now_unix_ms - newest < kPauseAfterFailureMs;
    failed_ = counts ? record.result : "";
  }
  if (newest == 0) failed_.clear();
  learned_ = std::move(known);
}

InstanceScaling::Moves InstanceScaling::moves_of(
    const World& world, const std::vector<OperationRecord>& records) const {
  Moves out;
  for (const auto& [id, service] : world.snapshot.services)
    if (updating(service)) out.rollout = "an update of " + service.name + " is under way";
  for (const auto& record : records) {
    if (!active(record)) continue;
    const std::string what = record.kind + " of " + record.subject + " is under way";
    if (record.kind == kInstanceLaunch) {
      const auto name = json_string(record.request, "name");
      if (!node_ready(world, name)) out.coming.insert(name);
    } else if (record.kind == kTerminate && by_autoscaler(record)) {
      out.leaving = &record;
    } else if (record.kind == "rollout") {
      out.rollout = "a " + what;
    } else {
      out.other = what;
    }
  }
  return out;
}

// A service that an operation holds asks for no more than it has: its surges are no need.
fleet::Wants InstanceScaling::wants_of(const World& world, const fleet::Wants& autoscaled) const {
  const auto holders = operations_.holders();
  const fleet::Room room(world.snapshot);
  fleet::Wants out;
  for (const auto& [id, service] : world.snapshot.services) {
    if (service.global) continue;
    const auto scaled = autoscaled.find(id);
    int wanted = scaled == autoscaled.end() ? static_cast<int>(service.replicas) : scaled->second;
    const auto held = holders.find(service_claim(id));
    if (held != holders.end() && scaled == autoscaled.end()) {
      const OperationRecord& holder = held->second;
      if (holder.kind == kTerminate)
        wanted = static_cast<int>(replicas_before_surge(holder.state, service));
      else if (holder.kind != "scale")
        wanted = std::min(wanted, room.placed(id));
    }
    if (wanted > 0) out.emplace(id, wanted);
  }
  return out;
}

void InstanceScaling::step(const World& world, const fleet::Wants& autoscaled) {
  const auto records = operations_.records();
  const std::lock_guard lock(mutex_);
  learn(world, records);
  if (!follows(world)) {
    rule_.forget();
    state_ = Json();
    return;
  }
  if (busy_ || world.snapshot.taken_at <= settled_at_) return;
  const auto& bounds = world.settings.workers;
  const Moves moves = moves_of(world, records);
  const auto wants = wants_of(world, autoscaled);
  fleet::FleetView view{
      .second =
          std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count(),
      .snapshot = world.snapshot,
      .wants = wants,
      .workers = workers_of(world)};
  view.coming = static_cast<int>(moves.coming.size());
  for (const auto& name : moves.coming)
    if (std::none_of(view.workers.begin(), view.workers.end(),
                     [&](const fleet::Worker& one) { return one.hostname == name; }))
      ++view.unborn;
  if (moves.leaving != nullptr) {
    view.leaving = json_string(moves.leaving->request, "instance");
    view.may_stay = !moves.leaving->cancelled && !json_bool(moves.leaving->state, "ending");
    // Whoever called it off: the window begins anew.
    if (moves.leaving->cancelled &&
        std::exchange(called_off_, moves.leaving->id) != moves.leaving->id)
      rule_.forget();
  }
  view.min = bounds.min;
  view.max = bounds.max;
  view.window_s = bounds.scale_in_after_ms / 1'000;
  view.frozen = moves.rollout;
  if (view.frozen.empty() && !failed_.empty())
    view.frozen = "the last start failed less than a minute ago: " + failed_;
  view.busy = moves.other;
  const auto decision = rule_.decide(view);
  const auto serving = std::count_if(view.workers.begin(), view.workers.end(),
                                     [](const fleet::Worker& one) { return one.serves; });
  state_ = Json{{"follow", true},
                {"min", bounds.min},
                {"max", bounds.max},
                {"workers", view.workers.size()},
                {"serving", serving},
                {"needed", decision.needed},
                {"coming", moves.coming},
                {"leaving", moves.leaving == nullptr ? "" : moves.leaving->subject},
                {"reason", decision.reason},
                {"impossible", decision.impossible},
                {"trouble", trouble_},
                {"lead_s", lead_.seconds()},
                {"lead_measured", lead_.measured()},
                {"decided_unix_ms", world.now_unix_ms}};
  act(world, moves, decision);
}

// --- what is done

void InstanceScaling::act(const World& world, const Moves& moves,
                          const fleet::FleetDecision& decision) {
  if (decision.start > 0) return start(world, moves, decision);
  if (!decision.end.empty()) return end(world, decision);
  if (!decision.call_off || moves.leaving == nullptr) return;
  submit(
      [this, id = moves.leaving->id]() -> Status {
        HIVE_TRY(operations_.cancel(id));
        return {};
      },
      "autoscale_instances_in_called_off", decision.reason);
}

void InstanceScaling::start(const World& world, const Moves& moves,
                            const fleet::FleetDecision& decision) {
  std::set<std::string> names = moves.coming;
  std::vector<OperationRequest> requests;
  const int there = count_workers(world.cloud->instances);
  const int count = std::min(decision.start, kMostAtOnce);
  for (int i = 0; i < count; ++i) {
    const auto name = free_worker_name(world, names);
    names.insert(name);
    requests.push_back({.id = "",
                        .kind = kInstanceLaunch,
                        .by = kAutoscalerName,
                        .request = {{"name", name},
                                    {"max", world.settings.workers.max},
                                    {"timeout_ms", world.settings.workers.join_timeout_ms},
                                    {"autoscaler", true},
                                    {"reason", decision.reason}}});
  }
  submit(
      [this, requests]() -> Status {
        for (const auto& request : requests) HIVE_TRY(operations_.create(request));
        return {};
      },
      "autoscale_instances_out",
      std::to_string(there) + " -> " + std::to_string(there + count) + ": " + decision.reason);
}

void InstanceScaling::end(const World& world, const fleet::FleetDecision& decision) {
  const int there = count_workers(world.cloud->instances);
  const OperationRequest request{
      .id = "",
      .kind = kTerminate,
      .by = kAutoscalerName,
      .request = {{"instance", decision.end}, {"autoscaler", true}, {"reason", decision.reason}}};
  submit(
      [this, request]() -> Status {
        HIVE_TRY(operations_.create(request));
        return {};
      },
      "autoscale_instances_in",
      std::to_string(there) + " -> " + std::to_string(there - 1) + ": " + decision.reason);
}

void InstanceScaling::submit(std::function<Status()> job, std::string kind, std::string reason) {
  busy_ = true;
  executor_.submit(
      [this, job = std::move(job), kind = std::move(kind), reason = std::move(reason)] {
        const auto done = job();
        const std::lock_guard lock(mutex_);
        busy_ = false;
        settled_at_ = clock_.now();
        trouble_ = done ? "" : done.error().message;
        if (done) return note(kind.c_str(), reason);
        log::warn(kComponent, "{}: {}", reason, describe(done.error()));
      });
}

}  // namespace hive::controller
