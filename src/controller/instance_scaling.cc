#include "controller/instance_scaling.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "controller/autoscaling.h"
#include "controller/drain_part.h"
#include "controller/instance_launch_kind.h"
#include "controller/workers_grow_kind.h"
#include "controller/world_facts.h"
#include "decide/placement/room.h"

namespace hive::controller {
namespace {

namespace fleet = decide::fleet;

constexpr const char* kInstancesComponent = "instances";
constexpr const char* kSubject = "workers";
constexpr const char* kTerminate = "instance_terminate";
constexpr std::int64_t kPauseAfterFailureMs = 60'000;
constexpr int kMostAtOnce = 16;

bool by_autoscaler(const OperationRecord& record) {
  return json_bool(record.request, "autoscaler");
}

bool follows(const World& world) {
  return world.settings.workers.max > world.settings.workers.min && world.cloud.has_value();
}

// How long each instance took that an operation brought, in ms, by an id of its own.
std::map<std::string, std::int64_t> leads_of(const OperationRecord& record) {
  std::map<std::string, std::int64_t> out;
  if (record.kind == kInstanceLaunch && record.outcome == OperationOutcome::kSucceeded)
    out.emplace(record.id, record.finished_unix_ms - record.created_unix_ms);
  const Json* leads = record.kind == kWorkersGrow ? json_member(record.state, "leads") : nullptr;
  if (leads != nullptr && leads->is_object())
    for (const auto& [id, ms] : leads->items())
      if (ms.is_number_integer()) out.emplace(record.id + "/" + id, ms.get<std::int64_t>());
  return out;
}

// A node with tasks of which Swarm does not know: its leader has changed, and the node did not
// report to the new one yet. In a moment it has room again, or is down. One that never reported has
// no tasks.
const model::Node* unheard(const model::Snapshot& snapshot) {
  for (const auto& [id, task] : snapshot.tasks) {
    if (task.state != model::TaskState::kRunning) continue;
    const auto node = snapshot.nodes.find(task.node_id);
    if (node != snapshot.nodes.end() && node->second.state == model::NodeState::kUnknown)
      return &node->second;
  }
  return nullptr;
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
    if (record.kind != kInstanceLaunch && record.kind != kWorkersGrow) continue;
    for (const auto& [id, ms] : leads_of(record)) {
      known.insert(id);
      if (!learned_.contains(id)) lead_.saw(static_cast<double>(ms) / kMsPerSecond);
    }
    if (active(record) || record.finished_unix_ms < newest) continue;
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
    if (!active(record) || record.kind == kInstanceLaunch || record.kind == kWorkersGrow) continue;
    const std::string what = record.kind + " of " + record.subject + " is under way";
    if (record.kind == kTerminate && by_autoscaler(record)) {
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
  const decide::placement::Room room(world.snapshot);
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

std::string InstanceScaling::frozen(const Scene& scene) const {
  if (!scene.moves.rollout.empty()) return scene.moves.rollout;
  if (const auto* node = unheard(scene.world.snapshot); node != nullptr)
    return "Swarm does not know yet whether " + node->hostname + " is ready";
  if (const auto& group = scene.world.cloud->group; group) {
    if (group->max == 0) return "the cloud has no group of workers yet";
    if (!group->shortage.empty()) return "the cloud has no instance now: " + group->shortage;
  }
  return failed_.empty() ? "" : "the last start failed less than a minute ago: " + failed_;
}

fleet::FleetView InstanceScaling::view_of(const Scene& scene, const fleet::Wants& wants) {
  const World& world = scene.world;
  const auto& bounds = world.settings.workers;
  fleet::FleetView view{
      .second =
          std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count(),
      .snapshot = world.snapshot,
      .wants = wants,
      .workers = scene.fleet.workers};
  view.coming = static_cast<int>(scene.fleet.coming.size()) + scene.fleet.nameless;
  view.unborn = scene.fleet.unborn;
  view.dead = static_cast<int>(scene.replacements.size());
  view.going = scene.fleet.going;
  if (const auto* leaving = scene.moves.leaving; leaving != nullptr) {
    view.leaving = json_string(leaving->request, "instance");
    view.may_stay = !leaving->cancelled && !json_bool(leaving->state, "ending");
    // Whoever called it off: the window begins anew.
    if (leaving->cancelled && std::exchange(called_off_, leaving->id) != leaving->id)
      rule_.forget();
  }
  view.min = bounds.min;
  view.max = bounds.max;
  if (const auto& group = world.cloud->group; group && group->max > 0)
    view.max = std::min(view.max, group->max);
  view.window_s = bounds.scale_in_after_ms / 1'000;
  view.frozen = frozen(scene);
  view.busy = scene.moves.other;
  return view;
}

void InstanceScaling::tell(const Scene& scene, const fleet::FleetView& view,
                           const fleet::FleetDecision& decision) {
  const auto serving = std::count_if(view.workers.begin(), view.workers.end(),
                                     [](const fleet::Worker& one) { return one.serves; });
  const auto* leaving = scene.moves.leaving;
  const auto& group = scene.world.cloud->group;
  state_ = Json{{"follow", true},
                {"min", view.min},
                {"max", view.max},
                {"workers", view.workers.size()},
                {"serving", serving},
                {"needed", decision.needed},
                {"coming", scene.fleet.coming},
                {"asked_for", scene.fleet.nameless},
                {"leaving", leaving == nullptr ? "" : leaving->subject},
                {"reason", decision.reason},
                {"impossible", decision.impossible},
                {"trouble", trouble_.empty() && group ? group->shortage : trouble_},
                {"lead_s", lead_.seconds()},
                {"lead_measured", lead_.measured()},
                {"decided_unix_ms", scene.world.now_unix_ms}};
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
  Scene scene{world, records, moves_of(world, records), {}, replacements_due(world, records)};
  const auto* leaving = scene.moves.leaving;
  scene.fleet = fleet_sight(world, records,
                            leaving == nullptr ? "" : json_string(leaving->request, "instance"));
  const auto wants = wants_of(world, autoscaled);
  const auto view = view_of(scene, wants);
  const auto decision = rule_.decide(view);
  tell(scene, view, decision);
  act(scene, decision);
}

// --- what is done

void InstanceScaling::act(const Scene& scene, const fleet::FleetDecision& decision) {
  if (decision.start > 0) return start(scene, decision);
  if (!decision.end.empty()) return end(scene, decision);
  if (!decision.call_off || scene.moves.leaving == nullptr) return;
  submit(
      [this, id = scene.moves.leaving->id]() -> Status {
        HIVE_TRY(operations_.cancel(id));
        return {};
      },
      "autoscale_instances_in_called_off", decision.reason);
}

std::vector<OperationRequest> InstanceScaling::starts(const Scene& scene, int count,
                                                      const fleet::FleetDecision& decision) const {
  const World& world = scene.world;
  if (world.cloud->group) {
    const int to = std::min(world.cloud->group->max, desired_workers(world, scene.records) + count);
    return {{.id = "",
             .kind = kWorkersGrow,
             .by = kAutoscalerName,
             .request = {{"to", to}, {"autoscaler", true}, {"reason", decision.reason}}}};
  }
  std::set<std::string> names = scene.fleet.coming;
  std::vector<OperationRequest> out;
  for (int i = 0; i < count; ++i) {
    const auto name = free_worker_name(world, names);
    names.insert(name);
    OperationRequest request{.id = "",
                             .kind = kInstanceLaunch,
                             .by = kAutoscalerName,
                             .request = {{"name", name},
                                         {"max", world.settings.workers.max},
                                         {"timeout_ms", world.settings.workers.join_timeout_ms},
                                         {"autoscaler", true},
                                         {"reason", decision.reason}}};
    if (i < decision.replacing) {
      const auto& instead = scene.replacements[static_cast<std::size_t>(i)];
      request.id = instead.id;
      request.request["replaces"] = instead.of;
      request.request["attempt"] = instead.attempt;
    }
    out.push_back(std::move(request));
  }
  return out;
}

void InstanceScaling::start(const Scene& scene, const fleet::FleetDecision& decision) {
  const int there = static_cast<int>(scene.fleet.workers.size()) + scene.fleet.unborn;
  const int count = std::min(decision.start, kMostAtOnce);
  submit(
      [this, requests = starts(scene, count, decision)]() -> Status {
        for (const auto& request : requests) HIVE_TRY(operations_.create(request));
        return {};
      },
      "autoscale_instances_out",
      std::to_string(there) + " -> " + std::to_string(there + count) + ": " + decision.reason);
}

void InstanceScaling::end(const Scene& scene, const fleet::FleetDecision& decision) {
  const int there = static_cast<int>(scene.fleet.workers.size());
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
        log::warn(kInstancesComponent, "{}: {}", reason, describe(done.error()));
      });
}

}  // namespace hive::controller
